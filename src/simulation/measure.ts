import { sketchSlices } from '../gossip-aggregation/sketch.ts'
import type { VirtualSite } from './virtual-site.ts'

export interface Spread {
  /** Mean over sites and coordinates of the squared distance to the mean. */
  readonly variance: number
  /** Largest ‖x_i − x̄‖. */
  readonly farthest: number
}

/** Σ w·x per coordinate, in float64, with what is sealed on top. */
export function weightedSum (sites: readonly VirtualSite[]): Float64Array {
  const sum = new Float64Array(sites[0]?.averager.values.length ?? 0)
  for (const { averager: { values, mass, sealing } } of sites) {
    const sealed = sealing?.delta.reveal()
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + mass * (values[i]! + (sealed?.[i] ?? 0))
  }
  return sum
}

export function totalMass (sites: readonly VirtualSite[]): number {
  return sites.reduce((sum, { averager }) => sum + averager.mass, 0)
}

/** Σ w·‖x‖. */
export function weightedSize (sites: readonly VirtualSite[]): number {
  const origin = new Float64Array(sites[0]?.averager.values.length ?? 0)
  return sites.reduce((sum, { averager: { mass, values } }) => sum + mass * Math.sqrt(squaredDistance(values, origin)), 0)
}

/** The mean weighted by mass. */
export function weightedMean (sites: readonly VirtualSite[]): Float64Array {
  const mass = totalMass(sites)
  return weightedSum(sites).map((each) => each / mass)
}

export function spreadOf (sites: readonly VirtualSite[]): Spread {
  const mean = weightedMean(sites)
  const squares = sites.map(({ averager }) => squaredDistance(averager.values, mean))
  return { variance: squares.reduce((sum, each) => sum + each, 0) / sites.length / mean.length, farthest: Math.sqrt(Math.max(...squares)) }
}

export function squaredDistance (one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < one.length; i++) sum += (one[i]! - other[i]!) ** 2
  return sum
}

/** As announced. */
export function sketchOf (values: Float32Array): Float32Array {
  const slices = sketchSlices(values, 0)
  let slice = slices.next()
  while (slice.done !== true) slice = slices.next()
  return slice.value
}
