import { InputError } from '../../errors.ts'
import type { MethodSettings } from '../method.ts'
import { ADAPTIVE } from './adaptive.ts'
import { BASELINES } from './baselines.ts'
import { GENERALISING } from './generalising.ts'
import { LABEL_FREE } from './label-free.ts'
import { MIXING } from './mixing.ts'
import { PFEDSAM } from './pfedsam.ts'
import type { Preset } from './preset.ts'
import { WEAK } from './weak.ts'

export type { Preset } from './preset.ts'

/** Every method that a federation can be created with; the first is what a federation does that names none. */
export const PRESETS = [...PFEDSAM, ADAPTIVE, ...BASELINES, ...GENERALISING, ...MIXING, ...WEAK, ...LABEL_FREE] as const

export type PresetName = typeof PRESETS[number]['name']

export const PRESET_NAMES = PRESETS.map(({ name }) => name) as [PresetName, ...PresetName[]]

/** @throws InputError for a name that is none. */
export function presetOf (name: PresetName): Preset {
  const preset = PRESETS.find((each) => each.name === name)
  if (preset == null) throw new InputError(`there is no method ${String(name)}: choose ${PRESET_NAMES.join(', ')}`)
  return preset
}

/** One sentence: the preset that a federation was created with, and where it differs from pFedSAM in what it keeps. */
export function methodInWords ({ method }: { readonly method?: MethodSettings | undefined }): string {
  const name = method?.preset ?? PRESET_NAMES[0]
  const { title, paper }: Partial<Preset> = PRESETS.find((preset) => preset.name === name) ?? {}
  const keeps = method?.keeps == null ? '' : `; every site keeps its ${method.keeps.join(' and ')}`
  const what = title == null ? ', a preset that this version does not know by name' : `: ${title}`
  return `${name}${what}${paper == null ? '' : ` (${paper})`}${keeps}`
}
