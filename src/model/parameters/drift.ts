import type { NamedTensor } from '../../adapter/safetensors.ts'
import type { Schema } from '../../adapter/schema.ts'
import type { MethodSettings } from '../../settings/method.ts'
import { pretrainingOf } from '../../settings/pretraining.ts'
import { mixedOf, mixedParts, mixtureOf, type MixedParts } from './element-mix.ts'
import type { ParameterGroup } from './groups.ts'
import { createLayout, flatten, type Layout } from './layout.ts'

/** A site's own encoder in label-free rounds. */
export interface DriftState {
  /** As its last label-free round left it: the encoder's numbers of the adapter. */
  readonly own: Float32Array
  /** Part of it that is stayed with, per unit of its distance from the average; 0 before the first distance. */
  readonly scale: number
}

/** The encoder's numbers of the adapter, where a site stays with a part of its own; else undefined. */
export function driftParts (schema: Schema, groups: readonly ParameterGroup[], method: MethodSettings | undefined): MixedParts | undefined {
  return (pretrainingOf(method)?.stay ?? 0) === 0 ? undefined : mixedParts(schema, groups, { of: ['encoder'] })
}

/** Where a label-free round begins, and the scale from now on. */
interface DriftedStart {
  /** `shared` itself where nothing of the own is stayed with. */
  readonly values: Float32Array
  readonly scale: number
}

/**
 * x + μ·(own − x) of the encoder's numbers, x of all others: μ = min(1, scale·‖own − x‖), where the scale makes it `stay` at
 * the first distance (FedEMA, docs/spec/label-free.md#where-a-round-begins). The first round begins at x.
 */
export function driftedStart (
  state: DriftState | undefined,
  shared: Float32Array,
  { stay, parts }: { readonly stay: number, readonly parts: MixedParts }
): DriftedStart {
  if (state == null || stay === 0) return { values: shared, scale: 0 }
  const average = mixedOf(shared, parts)
  const distance = Math.sqrt(state.own.reduce((sum, value, i) => sum + (value - average[i]!) ** 2, 0))
  // As it is kept, so that a restart changes nothing.
  const scale = state.scale > 0 || distance === 0 ? state.scale : Math.fround(stay / distance)
  const taken = new Float32Array(parts.size).fill(1 - Math.min(1, scale * distance))
  return { values: taken[0] === 1 ? shared : mixtureOf({ own: state.own, taken }, shared, parts), scale }
}

const OWN = 'own.pretrain.encoder'
const SCALE = 'own.pretrain.scale'

export function driftLayout ({ size }: MixedParts): Layout {
  return createLayout([{ name: OWN, shape: [size] }, { name: SCALE, shape: [2] }])
}

/** Zeros before the first label-free round. */
export function driftTensors ({ size }: MixedParts, state: DriftState | undefined): [string, NamedTensor][] {
  return [
    [OWN, { shape: [size], data: state?.own.slice() ?? new Float32Array(size) }],
    [SCALE, { shape: [2], data: Float32Array.of(state?.scale ?? 0, state == null ? 0 : 1) }]
  ]
}

/** Undefined before the first label-free round. @throws SchemaError when the tensors are not of this model */
export function driftFrom (record: Record<string, NamedTensor>, parts: MixedParts): DriftState | undefined {
  const flat = flatten(driftLayout(parts), record)
  const [scale, isThere] = flat.subarray(parts.size) as unknown as [number, number]
  return isThere === 0 ? undefined : { own: flat.slice(0, parts.size), scale }
}
