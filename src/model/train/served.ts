import { Adapter } from '../../adapter/adapter.ts'
import type { HostRecord } from '../../compute/index.ts'
import type { Mode } from '../../settings/model.ts'
import { DISCRIMINATOR } from '../blocks/discriminator.ts'
import { PREDICTOR, PROJECTOR } from '../blocks/projection.ts'
import type { GlobalVector } from '../parameters/global-vector.ts'
import { unflatten } from '../parameters/layout.ts'
import { mixtureOf, type MixedParts } from '../parameters/element-mix.ts'
import type { PrivateState } from '../parameters/private-state.ts'
import type { RelationSizes } from '../parameters/relations.ts'
import type { Units } from '../parameters/units.ts'
import { portableSam, type PortableSam } from '../portable.ts'
import type { EmbeddingCache } from '../predict/embedding-cache.ts'
import { Segmenter } from '../predict/segmenter.ts'
import type { Weights } from '../sam/weights.ts'
import type { StepContext } from '../steps.ts'
import { floatsHash, vector } from './host-records.ts'
import type { LearnerInit } from './learner-args.ts'
import { mixtureFrom } from './related.ts'
import { ownFrom } from './tailored.ts'

/** What no mask is made by. */
const BESIDE = [DISCRIMINATOR, PROJECTOR, PREDICTOR]

/** What models that are served are made of, beside a site's private state. */
export interface Serving {
  readonly init: LearnerInit
  readonly context: StepContext
  readonly global: GlobalVector
  /** The base, and what of Γ never changes. */
  readonly weights: Weights
  readonly initialKept: Float32Array
  readonly units: Units | undefined
  readonly relations: RelationSizes | undefined
  readonly mix: MixedParts | undefined
}

/** What the forward step needs beside the base in this mode. What a method keeps belongs to the personal model. */
export function adaptedBy (serving: Serving, state: PrivateState, adapter: Adapter, mode: Mode): HostRecord {
  if (mode === 'frozen') return {}
  const { global, initialKept } = serving
  if (mode === 'global') return { '@gamma': vector(global.join(adapter, initialKept)) }
  const own = ownGamma(serving, state, adapter)
  if (own != null) return { '@gamma': vector(own) }
  const { experts: { values }, kept } = state
  return { '@gamma': vector(global.join(adapter, kept)), ...(values.length > 0 ? { '@lambda': vector(values) } : {}) }
}

/** What the site serves in place of the shared adapter, if anything. */
function ownGamma (
  { global, ...method }: Serving,
  { kept, copy, units, relations, mix }: PrivateState,
  { values }: Adapter
): Float32Array | undefined {
  if (units != null) return ownFrom(units, values, method.units!)
  if (relations != null) return mixtureFrom(relations, values, method.relations!)
  return mix == null ? copy?.served?.values : global.join(new Adapter(global.schema, mixtureOf(mix, values, method.mix!)), kept)
}

/** The model in one mode, for any number of prompts. */
export function segmenterOf (
  serving: Serving,
  state: PrivateState,
  { adapter, mode, cache }: { readonly adapter: Adapter, readonly mode: Mode, readonly cache: EmbeddingCache }
): Segmenter {
  const { init: { engine, config, baseHash, labels, model: { pixels } }, context, weights, global: { schema, kept: { size } } } = serving
  const keeps = size > 0 || serving.units != null
  const all = [state.experts.values, keeps ? state.kept : undefined, ...ofMethod(state)]
  const own = all.flatMap((each) => each == null ? [] : floatsHash(each))
  const parts = [schema.model, baseHash, mode, ...(mode === 'frozen' ? [] : [adapter.digest()]), ...(mode === 'personal' ? own : [])]
  const adapted = adaptedBy(serving, state, adapter, mode)
  return new Segmenter({ engine, config, pixels, context, labels, weights, adapted, identity: parts.join(), cache })
}

function ofMethod ({ copy, units, relations, mix }: PrivateState): (Float32Array | undefined)[] {
  return [copy?.served?.values, units?.copy, units?.individual, relations?.lent, relations?.taken, mix?.own, mix?.taken]
}

/** The global model for what runs or loads it elsewhere, at the federation's image side. */
export function portableOf ({ init, context, global, weights, initialKept }: Serving, adapter: Adapter): PortableSam {
  const all = unflatten(global.layout, global.join(adapter, initialKept))
  const gamma = new Map([...all].filter(([name]) => !BESIDE.some((each) => name.startsWith(each))))
  return portableSam(context, { base: init.weights, read: weights, gamma, fixed: global.fixed })
}
