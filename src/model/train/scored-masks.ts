import type { HostRecord } from '../../compute/index.ts'
import type { Fitted } from '../../dataset/index.ts'
import { lowResSide } from '../sam/build-sam.ts'
import type { StepContext } from '../steps.ts'
import { maskBoxes } from './box-prompts.ts'
import type { LearnerSteps } from './compiled-steps.ts'
import type { LearnerInit } from './learner-args.ts'
import { masksOf } from './masks.ts'

/** A batch's prompts. */
export type PromptsOf = (chunk: readonly Fitted[]) => HostRecord

/** What scoring gives the decoder: as training does. */
export function promptsFor ({ prompt }: LearnerInit['train']): PromptsOf {
  return prompt === 'box' ? maskBoxes : () => ({})
}

export interface Masking {
  readonly init: LearnerInit
  readonly steps: Pick<LearnerSteps, 'forward'>
  readonly context: StepContext
  readonly inputs: (chunk: readonly Fitted[]) => Promise<HostRecord>
}

/** Masks at the original size, by the model that `adapted` makes of the base. */
export async function masksBy (
  { init: { config, labels }, steps: { forward }, context: { division }, inputs }: Masking,
  adapted: HostRecord,
  samples: readonly Fitted[],
  prompts: PromptsOf
): Promise<Uint8Array[]> {
  return await masksOf({
    forward,
    side: lowResSide(config),
    classes: division?.classes ?? 1,
    labels,
    samples,
    feeds: async (chunk) => ({ ...adapted, ...await inputs(chunk), ...prompts(chunk) })
  })
}
