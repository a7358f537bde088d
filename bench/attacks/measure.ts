import { seededRandom } from '../../src/common/random.ts'
import { squaredDistance, weightedMean } from '../../src/simulation/measure.ts'
import { normalNumbers } from '../../src/common/normal-numbers.ts'
import type { Facts } from '../../src/gossip-aggregation/facts.ts'
import { LEAST_FACTOR, MOST_FACTOR } from '../../src/gossip-aggregation/landing.ts'
import { DEFAULTS } from '../../src/simulation/options.ts'
import type { Lie } from '../../src/simulation/scenario.ts'
import { VirtualFederation } from '../../src/simulation/virtual-federation.ts'
import type { Learn } from '../../src/simulation/virtual-trainer.ts'
import { liesAlong, MOST_MASS } from './lies.ts'

export interface Case {
  readonly sites: number
  readonly liars: number
  readonly seed: number
  /** One of `liesAlong`; without it liars train and keep to the protocol, as any site that is unlike the others. */
  readonly kind?: string | undefined
  /** Sites weigh what they train by what all announce: the part of the common way that is still ahead of them, whatever else they are. */
  readonly weighs?: boolean
}

export interface Outcome {
  /** How far the mean of the honest sites ends from where it ends without liars, in multiples of what is learnt there. */
  readonly moved: number
  /** The same of the honest site that is farthest off. */
  readonly farthest: number
  /** Sites whom at least one honest site named. */
  readonly liarsNamed: number
  readonly honestNamed: number
  /** Of the steps of all sites, those that reached another. */
  readonly arrived: number
}

interface Ran extends Omit<Outcome, 'moved' | 'farthest'> {
  readonly start: Float32Array
  readonly mean: Float64Array
  readonly honest: readonly Float32Array[]
}

const DIM = 64
export const ROUNDS = 20
const STEPS = 16
const STREAM = 40
/** A round goes this share of the way to a site's optimum. The way that all have in common has length 1, and so has noise its own. */
const RATE = 0.15
const NOISE = 0.02
/** How far a site's optimum is from the common one. */
const UNLIKE = 0.5
/** That of a federation's document, by default. */
const CLIP_RADIUS = 100
/** As the preset drflm has it. */
const ROBUST = { mu: 0.3, excess: true, least: LEAST_FACTOR, most: MOST_FACTOR }
/** Daemons finish within this, or hang. */
const MOST_CYCLES = 400

/** One federation with liars, beside the same honest sites alone. @throws Error where the sites do not finish. */
export async function measure (each: Case): Promise<Outcome> {
  const alone = await run({ ...each, sites: each.sites - each.liars, liars: 0 })
  const { mean, honest, liarsNamed, honestNamed, arrived } = await run(each)
  const learnt = Math.sqrt(squaredDistance(alone.mean, alone.start))
  const away = (values: ArrayLike<number>): number => Math.sqrt(squaredDistance(values, alone.mean)) / learnt
  return { moved: away(mean), farthest: Math.max(...honest.map(away)), liarsNamed, honestNamed, arrived }
}

/** The optima of honest sites are the same whoever lies. */
async function run ({ sites, liars, seed, kind, weighs = false }: Case): Promise<Ran> {
  const normal = normalNumbers(seededRandom(seed, STREAM))
  const vector = (length: number): Float32Array => Float32Array.from({ length: DIM }, () => length * normal() / Math.sqrt(DIM))
  const [start, common, direction] = [vector(1), vector(1), vector(1)]
  const optima = Array.from({ length: sites }, () => vector(UNLIKE).map((own, i) => start[i]! + common[i]! + own))
  const options = {
    ...DEFAULTS,
    peers: sites,
    dim: DIM,
    rounds: ROUNDS,
    delay: 100,
    liars: liars / sites,
    maxMass: MOST_MASS,
    seed
  }
  const lie: Lie = kind == null ? { tell: () => {} } : liesAlong(direction, start)[kind]!
  const learn = (index: number): Learn => (adapter, steps, noise) => trained(adapter, optimumOf(index), steps, noise)
  const optimumOf = (index: number): Float32Array => {
    const isLiar = federation.sites[index]!.isLiar
    const rank = federation.sites.filter((site) => site.isLiar === isLiar && site.index < index).length
    return optima[isLiar ? sites - liars + rank : rank]!
  }
  const facts = (index: number, adapter: Float32Array): Facts => ({ loss: Float32Array.of(lossAt(adapter, optimumOf(index))) })
  const federation = new VirtualFederation(options, {
    start, clipRadius: CLIP_RADIUS, learn, lie, ...(weighs ? { weighs: { method: { robust: ROBUST }, facts } } : {})
  })
  for (let cycle = 0; federation.training?.isOver !== true; cycle++) {
    if (cycle === MOST_CYCLES) throw new Error(`the sites have not finished their rounds within ${MOST_CYCLES} cycles`)
    await federation.cycle()
  }
  return { start, ...resultOf(federation) }
}

/** Half of the squared way to the optimum, which is 1 to 1.25 long at the start. */
function lossAt (adapter: Float32Array, optimum: Float32Array): number {
  return Math.min(1, squaredDistance(adapter, optimum) / 2)
}

function trained (adapter: Float32Array, optimum: Float32Array, steps: number, normal: () => number): Float32Array {
  const share = 1 - (1 - RATE) ** (steps / STEPS)
  const noise = NOISE * Math.sqrt(steps / STEPS / DIM)
  return adapter.map((each, i) => each + share * (optimum[i]! - each) + noise * normal())
}

function resultOf (federation: VirtualFederation): Omit<Ran, 'start'> {
  const honest = federation.sites.filter(({ isLiar }) => !isLiar)
  const named = federation.named()
  const { steps } = federation.training!.result
  return {
    mean: weightedMean(honest),
    honest: honest.map(({ averager }) => averager.values),
    liarsNamed: federation.sites.filter(({ isLiar, id }) => isLiar && named.has(id)).length,
    honestNamed: honest.filter(({ id }) => named.has(id)).length,
    arrived: steps.arrived / steps.trained
  }
}
