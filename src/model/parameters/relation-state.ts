import type { NamedTensor } from '../../adapter/safetensors.ts'
import { createLayout, flatten, unflatten, type Layout } from './layout.ts'
import { relationCount, type RelationSizes } from './relations.ts'

/** What a site has learnt of whom it learns from; flat vectors as long as the adapter, or as said. */
export interface RelationState {
  /** Trained by this site alone, averaged with nobody's. */
  readonly core: Float32Array
  /** By core and layer, the own core first. */
  readonly relations: Float32Array
  /** Two numbers for each place of another site, by which it is known again; zeros where there is none. */
  readonly peers: Float32Array
  /** The sum of all cores, each times the relation to it. */
  readonly lent: Float32Array
  /** The sum of relations in each layer. */
  readonly taken: Float32Array
  /** Of the last phase; 0 before the first. */
  readonly round: number
}

const NAME = 'own.relations.'

export function relationLayout (sizes: RelationSizes): Layout {
  const { size, layers, others } = sizes
  const shapes = { core: [size], relations: [relationCount(sizes)], peers: [2 * others], lent: [size], taken: [layers.length], round: [1] }
  return createLayout(Object.entries(shapes).map(([name, shape]) => ({ name: NAME + name, shape })))
}

/** Zeros before the first phase. */
export function relationTensors (sizes: RelationSizes, state: RelationState | undefined): [string, NamedTensor][] {
  return relationLayout(sizes).entries.map(({ name, shape, size }) => {
    const value = state?.[name.slice(NAME.length) as keyof RelationState]
    const data = typeof value === 'number' ? Float32Array.of(value) : value?.slice() ?? new Float32Array(size)
    return [name, { shape, data }]
  })
}

/** Undefined before the first phase. @throws SchemaError when the tensors are not of this model */
export function relationsFrom (record: Record<string, NamedTensor>, sizes: RelationSizes): RelationState | undefined {
  const layout = relationLayout(sizes)
  const tensors = unflatten(layout, flatten(layout, record))
  const of = (name: keyof RelationState): Float32Array => tensors.get(NAME + name)!.data.slice()
  const [round = 0] = of('round')
  if (round === 0) return undefined
  return { core: of('core'), relations: of('relations'), peers: of('peers'), lent: of('lent'), taken: of('taken'), round }
}
