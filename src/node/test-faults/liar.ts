import { normal } from '../../common/random.ts'

/**
 * Test fault: what a lying site does to each copy of its adapter that leaves: normal noise whose norm is `factor` times what the copy
 * is away from the start.
 */
export function liar (initial: Float32Array, factor: number, random: () => number): (copy: Float32Array) => void {
  return (copy) => {
    let squares = 0
    for (let i = 0; i < copy.length; i++) squares += (copy[i]! - initial[i]!) ** 2
    const deviation = factor * Math.sqrt(squares / copy.length)
    for (let i = 0; i < copy.length; i++) copy[i] = copy[i]! + deviation * normal(random)
  }
}
