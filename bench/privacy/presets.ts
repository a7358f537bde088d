/** How much is tried. */
export interface Preset {
  /** Trainings by which an attack is judged: each draws the patients anew. */
  readonly seeds: readonly number[]
  /** Patients of the victim, each of whom takes part by the throw of a coin. */
  readonly pool: number
  /** Patients of a phantom site by whom the model is scored. */
  readonly validation: number
  readonly rounds: number
  readonly stepsPerRound: number
  readonly epsilons: readonly number[]
  /** Images that are reconstructed, and steps of the attacker's optimiser for each. */
  readonly images: number
  readonly iterations: number
}

export const PRESET_NAMES = ['smoke', 'quick', 'full'] as const
export type PresetName = typeof PRESET_NAMES[number]

const VICTIM = { pool: 16, stepsPerRound: 16 } as const
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  smoke: { seeds: upTo(2), pool: 4, validation: 1, rounds: 1, stepsPerRound: 2, epsilons: [8], images: 1, iterations: 2 },
  quick: { seeds: upTo(5), ...VICTIM, validation: 8, rounds: 6, epsilons: [8, 1], images: 1, iterations: 80 },
  full: { seeds: upTo(20), ...VICTIM, validation: 16, rounds: 24, epsilons: [100, 8, 4, 1, 0.5], images: 4, iterations: 600 }
}
