import { normal, type Random } from '../../common/random.ts'
import { MOST_OF_VECTOR, type MethodSettings } from '../../settings/method.ts'
import type { GlobalParameter, ParameterGroup } from './groups.ts'

type Contrast = NonNullable<MethodSettings['siteContrast']>

/** Comes after all names of the adapter: what the seed makes of those is as without it. */
export const SELECTION = 'site_selection'
/** The site's own; the common model has zeros in its place. */
export const VECTOR = `${SELECTION}.vector`
/** How much narrower the hidden layer is than an embedding is wide. */
const NARROWING = 16

/**
 * By what sites select channels of an embedding of width d: two layers on the vector and two on pools, that all sites average, and the
 * vector, which each keeps. Without the gain, 0 at the start, nothing is selected. None where the method has no such thing.
 */
export function selectionGroups (width: number, { weight = 0, size = 0 }: Partial<Contrast> = {}): ParameterGroup[] {
  if (weight === 0) return []
  const narrow = Math.max(1, Math.floor(width / NARROWING))
  const part = (name: string, shape: readonly number[], start: 'seeded' | 'zero'): GlobalParameter =>
    ({ name: `${SELECTION}.${name}`, shape, role: 'encoder', rate: 'lrHeads', decays: shape.length > 1, start })
  const parameters = [
    part('fc1.layers.0.weight', [width, size], 'seeded'),
    part('fc1.layers.1.weight', [width, width], 'seeded'),
    part('fc2.layers.0.weight', [narrow, 2 * width], 'seeded'),
    part('fc2.layers.1.weight', [width, narrow], 'seeded'),
    part('gain', [1], 'zero')
  ]
  return [
    { name: 'selection', owner: 'shared', phase: 'G', parameters },
    { name: 'site vector', owner: 'own', phase: 'G', parameters: [part('vector', [size], 'zero')] }
  ]
}

/** Standard normal numbers, within what may be announced. */
export function firstVector (size: number, random: Random): Float32Array {
  return withinBounds(Float32Array.from({ length: size }, () => normal(random)))
}

export function withinBounds (vector: Float32Array): Float32Array {
  return vector.map((each) => Math.min(MOST_OF_VECTOR, Math.max(-MOST_OF_VECTOR, each)))
}
