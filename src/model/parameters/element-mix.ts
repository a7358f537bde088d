import type { NamedTensor } from '../../adapter/safetensors.ts'
import type { Schema } from '../../adapter/schema.ts'
import type { MethodSettings } from '../../settings/method.ts'
import type { ParameterGroup } from './groups.ts'
import { createLayout, flatten, unflatten, type Layout } from './layout.ts'

export type MixSettings = NonNullable<MethodSettings['elementMix']>

/** Which numbers of the adapter are mixed: stretches of it, in order. */
export interface MixedParts {
  readonly stretches: readonly { readonly begin: number, readonly end: number }[]
  /** How many numbers these are. */
  readonly size: number
}

/** What a site takes of the average, of the mixed numbers alone. */
export interface MixState {
  /** The site's own, as its last phase G left them. */
  readonly own: Float32Array
  /** What is taken of each number of the average: 0, nothing of it, to 1, all. */
  readonly taken: Float32Array
  /** Of the last phase, and in how many rounds it was learnt what to take. */
  readonly round: number
  readonly learnt: number
}

export function mixedParts (schema: Schema, groups: readonly ParameterGroup[], { of }: Pick<MixSettings, 'of'>): MixedParts {
  const mixed = groups.flatMap(({ name, owner, parameters }) =>
    owner === 'shared' && (of as readonly string[]).includes(name) ? parameters.map((each) => each.name) : [])
  const names = new Set(mixed)
  const entries = createLayout(schema.tensors).entries.filter(({ name }) => names.has(name))
  const stretches = entries.map(({ offset, size }) => ({ begin: offset, end: offset + size }))
  return { stretches, size: entries.reduce((sum, { size }) => sum + size, 0) }
}

/** The mixed numbers of an adapter. */
export function mixedOf (adapter: Float32Array, { stretches, size }: MixedParts): Float32Array {
  const part = new Float32Array(size)
  let at = 0
  for (const { begin, end } of stretches) {
    part.set(adapter.subarray(begin, end), at)
    at += end - begin
  }
  return part
}

/**
 * What the site trains from, and serves: θ + (x − θ)·W of the mixed numbers, x of all others. Where all is taken it is x, bit for bit;
 * where nothing is, θ.
 */
export function mixtureOf ({ own, taken }: Pick<MixState, 'own' | 'taken'>, shared: Float32Array, { stretches }: MixedParts): Float32Array {
  const mixture = shared.slice()
  let at = 0
  for (const { begin, end } of stretches) {
    for (let i = begin; i < end; i++, at++) {
      const share = taken[at]!
      if (share !== 1) mixture[i] = own[at]! + (shared[i]! - own[at]!) * share
    }
  }
  return mixture
}

const NAME = 'own.mix.'
const ROUNDS = `${NAME}rounds`

export function mixLayout ({ size }: MixedParts): Layout {
  return createLayout([{ name: `${NAME}own`, shape: [size] }, { name: ROUNDS, shape: [2] }, { name: `${NAME}taken`, shape: [size] }])
}

/** Zeros before the first phase. */
export function mixTensors ({ size }: MixedParts, state: MixState | undefined): [string, NamedTensor][] {
  return [
    [`${NAME}own`, { shape: [size], data: state?.own.slice() ?? new Float32Array(size) }],
    [`${NAME}taken`, { shape: [size], data: state?.taken.slice() ?? new Float32Array(size) }],
    [ROUNDS, { shape: [2], data: Float32Array.of(state?.round ?? 0, state?.learnt ?? 0) }]
  ]
}

/** Undefined before the first phase. @throws SchemaError when the tensors are not of this model */
export function mixFrom (record: Record<string, NamedTensor>, parts: MixedParts): MixState | undefined {
  const layout = mixLayout(parts)
  const tensors = unflatten(layout, flatten(layout, record))
  const of = (name: string): Float32Array => tensors.get(NAME + name)!.data.slice()
  const [round = 0, learnt = 0] = of('rounds')
  return round === 0 ? undefined : { own: of('own'), taken: of('taken'), round, learnt }
}
