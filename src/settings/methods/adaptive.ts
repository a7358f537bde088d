import { DEFAULT_TAIL } from '../method.ts'
import { STEPS_PER_ROUND } from '../training.ts'
import type { Preset } from './preset.ts'

/** What a site serves is what was best on images that it held back (docs/evidence.md#personalisation-that-does-not-cost). */
export const ADAPTIVE = {
  name: 'adaptive',
  title: 'LoRA averaged; a site serves that with as much of its own update as helps',
  settings: {
    model: { moe: { blocks: [] } },
    training: { stepsPerRound: 2 * STEPS_PER_ROUND },
    method: { personal: 'copy', tail: DEFAULT_TAIL }
  }
} as const satisfies Preset
