import type { Facts } from '../../src/gossip-aggregation/facts.ts'
import { squaredDistance } from '../../src/simulation/measure.ts'
import type { Known, Lie } from '../../src/simulation/scenario.ts'

type Tell = Lie['tell']

/** Of any site. */
export const MOST_MASS = 4

/** Exchanges that an eager liar begins in a cycle, beside those of its rounds: with each of nine sites, twice. */
const EAGER = 20
/** Length of the noise, where what all have to learn has length 1. */
const LOUD = 100
/** Standard deviations by which ALIE stays below the mean of each number. */
const DEVIATIONS = 1.5
/** Those that wait strike when three rounds are left. */
const LATE = 17

/**
 * Every kind of lie by its name. Liars know all vectors, and the radius that the victim states. Along `direction`, of length 1, they all
 * drag the same way.
 */
export function liesAlong (direction: Float32Array, start: Float32Array): Readonly<Record<string, Lie>> {
  const drift = (share: number): Tell => (copy, { victim, radius }) => { put(copy, victim.averager.values, direction, share * radius) }
  return {
    'drift at the radius': { tell: drift(1) },
    'drift at a third of it': { tell: drift(1 / 3) },
    'drift, eager': { tell: drift(1), visits: EAGER },
    'drift at a third, eager': { tell: drift(1 / 3), visits: EAGER },
    'drift in the last rounds': { tell: (copy, known) => { if (known.victim.averager.round >= LATE) drift(1)(copy, known) } },
    'random at the radius': { tell: (copy, known) => { atRadius(copy, known, copy.map(() => known.normal())) } },
    noise: { tell: (copy, { normal }) => { copy.forEach((each, i) => { copy[i] = each + LOUD * normal() / Math.sqrt(copy.length) }) } },
    ALIE: { tell: alie },
    'inner product': { tell: (copy, known) => { atRadius(copy, known, meanOf(known).map((each, i) => start[i]! - each)) } },
    dissensus: { tell: (copy, known) => { atRadius(copy, known, fromMean(known)) }, visits: EAGER },
    'facts: the worst off': { tell: () => {}, facts: factsOf(1, MOST_MASS) },
    'facts: the best off, with all the mass': { tell: () => {}, facts: factsOf(0, MOST_MASS) },
    'drift at the radius, facts: the worst off': { tell: drift(1), facts: factsOf(1, MOST_MASS) },
    'sign flip': { tell: (copy) => { copy.forEach((each, i) => { copy[i] = 2 * start[i]! - each }) } }
  }
}

function factsOf (loss: number, mass: number): Facts {
  return { loss: Float32Array.of(loss), mass: Float32Array.of(mass) }
}

function put (copy: Float32Array, from: Float32Array, direction: ArrayLike<number>, length: number): void {
  for (let i = 0; i < copy.length; i++) copy[i] = from[i]! + length * direction[i]!
}

function atRadius (copy: Float32Array, { victim, radius }: Known, along: ArrayLike<number>): void {
  const norm = Math.sqrt(squaredDistance(along, new Float64Array(copy.length)))
  put(copy, victim.averager.values, along, norm > 0 ? radius / norm : 0)
}

function honestOf ({ sites }: Known): Float32Array[] {
  return sites.filter(({ isLiar }) => !isLiar).map(({ averager }) => averager.values)
}

function meanOf (known: Known): Float64Array {
  const honest = honestOf(known)
  return Float64Array.from(honest[0]!, (_, i) => honest.reduce((sum, values) => sum + values[i]!, 0) / honest.length)
}

/** Away from the others, each into a direction of its own (He, Karimireddy, Jaggi 2022). */
function fromMean (known: Known): Float64Array {
  return meanOf(known).map((each, i) => known.victim.averager.values[i]! - each)
}

/** A little is enough (Baruch, Baruch, Goldberg 2019). */
function alie (copy: Float32Array, known: Known): void {
  const honest = honestOf(known)
  meanOf(known).forEach((mean, i) => {
    const variance = honest.reduce((sum, values) => sum + (values[i]! - mean) ** 2, 0) / honest.length
    copy[i] = mean - DEVIATIONS * Math.sqrt(variance)
  })
}
