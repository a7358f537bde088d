import { normal } from '../../common/random.ts'
import type { Distort } from '../../gossip-aggregation/averager-types.ts'
import type { TestFaults } from './settings.ts'

/** Where its partners are, a liar takes for half of what it drew itself away from them by its last lies. */
const GOES_ALONG = 0.5

/** Test fault: what a lying site does to each copy of its adapter that leaves. */
export function liar (initial: Float32Array, { lie, liar: factor }: Pick<TestFaults, 'lie' | 'liar'>, random: () => number): Distort {
  switch (lie) {
    case 'noise': return noisy(initial, factor, random)
    case 'drift': return drifting(initial.length, random)
    case 'flip': return (copy) => { for (let i = 0; i < copy.length; i++) copy[i] = 2 * initial[i]! - copy[i]! }
  }
}

/** Normal noise whose norm is `factor` times what the copy is away from the start. */
function noisy (initial: Float32Array, factor: number, random: () => number): Distort {
  return (copy) => {
    let squares = 0
    for (let i = 0; i < copy.length; i++) squares += (copy[i]! - initial[i]!) ** 2
    const deviation = factor * Math.sqrt(squares / copy.length)
    for (let i = 0; i < copy.length; i++) copy[i] = copy[i]! + deviation * normal(random)
  }
}

/** As far as each partner lets it, always the same way. */
function drifting (size: number, random: () => number): Distort {
  const direction = Float32Array.from({ length: size }, () => normal(random) / Math.sqrt(size))
  let behind = 0
  return (copy, { clipRadius }) => {
    const length = behind + clipRadius
    for (let i = 0; i < size; i++) copy[i] = copy[i]! + length * direction[i]!
    behind += GOES_ALONG * clipRadius
  }
}
