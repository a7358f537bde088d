import type { TensorSpec } from '../../adapter/schema.ts'
import type { GlobalGroup, TrainPhase } from '../../settings/method.ts'
import type { TrainSettings } from '../../settings/training.ts'
import { perElement, type Layout } from './layout.ts'

/** Where a parameter starts: uniform within ±1/√fan-in from the seed, at zero, or as the base has it (zero where it has none). */
export type Start = 'seeded' | 'zero' | 'base'

/** One trained tensor. */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  /** Which learning rate it has, or the rate itself. */
  readonly rate: 'lrLora' | 'lrHeads' | 'lrMoe' | number
  /** Weight decay acts on it. */
  readonly decays: boolean
  readonly start: Start
}

/** A parameter that may travel. */
export type GlobalParameter = Parameter & TensorSpec

/** Parameters that a method moves together: all shared, that is averaged with the other sites, or all this site's own. */
export type ParameterGroup =
  | { readonly name: GlobalGroup, readonly owner: 'shared' | 'own', readonly phase: 'G', readonly parameters: readonly GlobalParameter[] }
  | { readonly name: 'selection', readonly owner: 'shared', readonly phase: 'G', readonly parameters: readonly GlobalParameter[] }
  | { readonly name: 'projector', readonly owner: 'shared', readonly phase: 'G', readonly parameters: readonly GlobalParameter[] }
  | { readonly name: 'predictor', readonly owner: 'own', readonly phase: 'G', readonly parameters: readonly GlobalParameter[] }
  | { readonly name: 'discriminator', readonly owner: 'own', readonly phase: 'G', readonly parameters: readonly GlobalParameter[] }
  | { readonly name: 'site vector', readonly owner: 'own', readonly phase: 'G', readonly parameters: readonly GlobalParameter[] }
  | { readonly name: 'experts', readonly owner: 'own', readonly phase: 'L', readonly parameters: readonly Parameter[] }

/** Parameters of the groups that a phase trains, in order of name (ASCII), or of group where that is asked for. */
export function trainedIn (phase: TrainPhase, groups: readonly ParameterGroup[]): readonly Parameter[] {
  return groups.filter((group) => group.phase === phase).flatMap(({ parameters }): readonly Parameter[] => parameters)
}

/** The global parameters by owner. */
export function globalParameters (groups: readonly ParameterGroup[], owner: 'shared' | 'own'): GlobalParameter[] {
  return groups.flatMap((group) => group.phase === 'G' && group.owner === owner ? group.parameters : [])
}

/** Rate and decay of every number of a flat vector, as the groups say for its tensors. */
export function ratesOf (
  layout: Layout,
  parameters: readonly Parameter[],
  train: Pick<TrainSettings, 'lrLora' | 'lrHeads' | 'lrMoe' | 'weightDecay'>
): { readonly rate: Float32Array, readonly decay: Float32Array } {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  const rateOf = ({ rate }: Parameter): number => typeof rate === 'number' ? rate : train[rate]
  return {
    rate: perElement(layout, ({ name }) => rateOf(byName.get(name)!)),
    decay: perElement(layout, ({ name }) => byName.get(name)!.decays ? train.weightDecay : 0)
  }
}
