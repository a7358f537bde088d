import type { MethodSettings } from '../../settings/method.ts'
import type { Layout } from './layout.ts'

export type RelationSettings = NonNullable<MethodSettings['relations']>

/** How relations lie: one number for each layer of each core, the site's own first, then those of so many others. */
export interface RelationSizes {
  /** Numbers of the adapter. */
  readonly size: number
  /** How many numbers of it each layer has, in their order; one layer is all of it. */
  readonly layers: readonly number[]
  /** Other sites. */
  readonly others: number
}

const BLOCK = /^.*\.(?:blocks|layers)\.\d+(?=\.)/
const PART = /^[^.]+\.[^.]+/

export function relationSizes ({ entries, size }: Layout, { by, peers }: Pick<RelationSettings, 'by' | 'peers'>): RelationSizes {
  if (by === 'model') return { size, layers: [size], others: peers }
  const layers: number[] = []
  let last: string | undefined
  for (const entry of entries) {
    const layer = (BLOCK.exec(entry.name) ?? PART.exec(entry.name))?.[0] ?? entry.name
    if (layer !== last) layers.push(0)
    last = layer
    layers[layers.length - 1]! += entry.size
  }
  return { size, layers, others: peers }
}

export function relationCount ({ layers, others }: Pick<RelationSizes, 'layers' | 'others'>): number {
  return (1 + others) * layers.length
}

/** For each number of the adapter, which layer it is of. */
export function layersOf ({ layers }: Pick<RelationSizes, 'layers'>): Uint32Array {
  return Uint32Array.from(layers.flatMap((size, layer) => new Array<number>(size).fill(layer)))
}
