import { BASELINES } from './baselines.ts'
import { PFEDSAM } from './pfedsam.ts'
import type { Preset } from './preset.ts'

export type { Preset } from './preset.ts'

/** Every method that a federation can be created with; the first is what a federation does that names none. */
export const PRESETS = [...PFEDSAM, ...BASELINES] as const

export type PresetName = typeof PRESETS[number]['name']

export const PRESET_NAMES: readonly PresetName[] = PRESETS.map(({ name }) => name)

export function presetOf (name: PresetName): Preset {
  return PRESETS.find((preset) => preset.name === name)!
}
