import type { Facts } from '../../src/gossip-aggregation/facts.ts'
import { squaredDistance } from '../../src/simulation/measure.ts'
import type { Known, Lie } from '../../src/simulation/scenario.ts'
import { toldOf, type MethodName } from './methods.ts'

type Tell = Lie['tell']

/** Of any site. */
export const MOST_MASS = 4
/** That a site may say it has. */
export const MOST_CLAIMED = 100

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
    'sign flip': { tell: (copy) => { copy.forEach((each, i) => { copy[i] = 2 * start[i]! - each }) } }
  }
}

/** What a liar says of itself, beside one of `liesAlong` or none, or shows for a core. */
export interface FactLie {
  readonly facts?: Facts
  readonly vectors?: string
  /** Its direction, of length 1. */
  readonly core?: Float32Array
}

interface Liars {
  readonly sites: number
  readonly liars: number
  readonly seed: number
  readonly direction: Float32Array
}

const DRIFT = 'drift at the radius'

/** Lies about what a method goes by, by their names; each alone, and the worst of them beside drift. */
export function factLies (by: MethodName, liars: Liars): Readonly<Record<string, FactLie>> {
  const alone = LIES[by](liars)
  const beside = Object.entries(alone).map(([kind, lie]) => [`${DRIFT}, ${kind}`, { ...lie, vectors: DRIFT }] as const)
  return { ...alone, ...Object.fromEntries(beside) }
}

const LIES: Readonly<Record<MethodName, (liars: Liars) => Readonly<Record<string, FactLie>>>> = {
  robust: () => ({
    'facts: the worst off': { facts: { ...one('loss', 1), ...one('mass', MOST_MASS) } },
    'facts: the best off, with all the mass': { facts: { ...one('loss', 0), ...one('mass', MOST_MASS) } },
    'facts: the worst off, with 25 times the mass': { facts: { ...one('loss', 1), ...one('mass', MOST_CLAIMED) } }
  }),
  generalisation: () => ({
    'facts: the largest gap': { facts: one('gap', 1) },
    'facts: the largest gap, with 25 times the mass': { facts: { ...one('gap', 1), ...one('mass', MOST_CLAIMED) } },
    'facts: no gap and no mass': { facts: { ...one('gap', 0), ...one('mass', 0) } }
  }),
  units: () => ({
    'facts: 25 times the mass': { facts: one('mass', MOST_CLAIMED) },
    'facts: no mass': { facts: one('mass', 0) }
  }),
  relations: ({ direction }) => ({ 'its core: drift, nearly too far': { core: direction } }),
  clusters: ({ sites, liars, seed }) => {
    const told = toldOf(sites, seed)
    const own = sites - liars
    const [other, same] = [told[own % 2 === 0 ? 1 : 0]!, told[own]!]
    return {
      'facts: those of the other kind': { facts: other },
      'facts: half of each kind': { facts: halfOf(same, other) },
      'facts: of no kind': { facts: { ...same, centres: same['centres']!.map((each) => -each) } }
    }
  }
}

function one (name: string, value: number): Facts {
  return { [name]: Float32Array.of(value) }
}

/** Two clusters of patients like those of either, alike in size. */
function halfOf (same: Facts, other: Facts): Facts {
  const half = same['centres']!.length / 2
  return {
    centres: Float32Array.of(...same['centres']!.subarray(0, half), ...other['centres']!.subarray(0, half)),
    shares: Float32Array.of(0.25, 0.25, 0.25, 0.25),
    graph: same['graph']!
  }
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
