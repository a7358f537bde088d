import { Adapter } from '../../adapter/adapter.ts'
import type { HostRecord } from '../../compute/index.ts'
import type { Mode } from '../../settings/model.ts'
import { DISCRIMINATOR } from '../blocks/discriminator.ts'
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
export function adaptedBy ({ global, initialKept, ...method }: Serving, state: PrivateState, adapter: Adapter, mode: Mode): HostRecord {
  if (mode === 'frozen') return {}
  const { experts, kept, copy, units, relations, mix } = state
  if (mode === 'personal' && units != null) return { '@gamma': vector(ownFrom(units, adapter.values, method.units!)) }
  if (mode === 'personal' && relations != null) return { '@gamma': vector(mixtureFrom(relations, adapter.values, method.relations!)) }
  if (mode === 'personal' && mix != null) {
    return { '@gamma': vector(global.join(new Adapter(global.schema, mixtureOf(mix, adapter.values, method.mix!)), kept)) }
  }
  if (mode === 'personal' && copy?.served != null) return { '@gamma': vector(copy.served.values) }
  return {
    '@gamma': vector(global.join(adapter, mode === 'personal' ? kept : initialKept)),
    ...(mode === 'personal' && experts.values.length > 0 ? { '@lambda': vector(experts.values) } : {})
  }
}

/** The model in one mode, for any number of prompts. */
export function segmenterOf (
  serving: Serving,
  state: PrivateState,
  { adapter, mode, cache }: { readonly adapter: Adapter, readonly mode: Mode, readonly cache: EmbeddingCache }
): Segmenter {
  const { init: { engine, config, baseHash, labels, model: { pixels } }, context, weights, global: { schema, kept: { size } } } = serving
  const { experts, kept, copy, units, relations, mix } = state
  const keeps = size > 0 || serving.units != null
  const ofMethod = [copy?.served?.values, units?.copy, units?.individual, relations?.lent, relations?.taken, mix?.own, mix?.taken]
  const all = [experts.values, keeps ? kept : undefined, ...ofMethod]
  const own = all.flatMap((each) => each == null ? [] : floatsHash(each))
  const parts = [schema.model, baseHash, mode, ...(mode === 'frozen' ? [] : [adapter.digest()]), ...(mode === 'personal' ? own : [])]
  const adapted = adaptedBy(serving, state, adapter, mode)
  return new Segmenter({ engine, config, pixels, context, labels, weights, adapted, identity: parts.join(), cache })
}

/** The global model for what runs or loads it elsewhere, at the federation's image side. */
export function portableOf ({ init, context, global, weights, initialKept }: Serving, adapter: Adapter): PortableSam {
  const all = unflatten(global.layout, global.join(adapter, initialKept))
  const gamma = new Map([...all].filter(([name]) => !name.startsWith(DISCRIMINATOR)))
  return portableSam(context, { base: init.weights, read: weights, gamma, fixed: global.fixed })
}
