import { seededRandom } from '../../src/common/random.ts'
import { squaredDistance, weightedMean, weightedSize, weightedSum } from '../../src/simulation/measure.ts'
import { normalNumbers } from '../../src/common/normal-numbers.ts'
import { DEFAULTS } from '../../src/simulation/options.ts'
import type { Tells } from '../../src/simulation/scenario.ts'
import type { VirtualSite } from '../../src/simulation/virtual-site.ts'
import { VirtualFederation } from '../../src/simulation/virtual-federation.ts'
import { factLies, liesAlong, MOST_CLAIMED, MOST_MASS, type FactLie } from './lies.ts'
import { methodOf, OF_KIND, type Method, type MethodName, type Step } from './methods.ts'

export interface Case {
  readonly sites: number
  readonly liars: number
  readonly seed: number
  /** One of `liesAlong` or `factLies`; without it liars train and keep to the protocol, as any site that is unlike the others. */
  readonly kind?: string | undefined
  /** Sites count unlike in what all learn, by this. With `clusters` they are of two kinds, whose last numbers lead elsewhere. */
  readonly by?: MethodName | undefined
}

export interface Outcome {
  /** How far the mean of the honest sites ends from where it ends without liars, in multiples of what is learnt there. */
  readonly moved: number
  /** The same of the honest site that is farthest from where it ends itself. */
  readonly farthest: number
  /** The same of what it serves, where that is not the adapter itself. */
  readonly served: number
  /** Sites whom at least one honest site named. */
  readonly liarsNamed: number
  readonly honestNamed: number
  /** Of the steps of all sites, those that reached another. */
  readonly arrived: number
  /**
   * How far Σw·x is at the end from what it was, what landed, and what was taken over by catching up, as a share of Σw·‖x‖: the
   * most of any number; of those of a kind's own, of each kind by itself where nobody lies.
   */
  readonly changed: number
}

interface Ran extends Omit<Outcome, 'moved' | 'farthest' | 'served'> {
  readonly start: Float32Array
  readonly mean: Float64Array
  /** By rank. */
  readonly honest: readonly Float32Array[]
  readonly serve: readonly Float32Array[]
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
const TENSORS = [
  { name: 'common', shape: [DIM - OF_KIND], role: 'lora' },
  { name: 'own', shape: [OF_KIND], role: 'lora' }
] as const
/** Daemons finish within this, or hang. */
const MOST_CYCLES = 400

/** One federation with liars, beside the same honest sites alone. @throws Error where the sites do not finish. */
export async function measure (each: Case): Promise<Outcome> {
  const ran = await run(each)
  const alone = each.liars === 0 ? ran : await run({ ...each, sites: each.sites - each.liars, liars: 0 })
  const { mean, honest, serve, liarsNamed, honestNamed, arrived, changed } = ran
  const learnt = Math.sqrt(squaredDistance(alone.mean, alone.start))
  const away = (values: ArrayLike<number>, from: ArrayLike<number>): number => Math.sqrt(squaredDistance(values, from)) / learnt
  const most = (of: 'honest' | 'serve', values: readonly Float32Array[]): number =>
    Math.max(...values.map((value, rank) => away(value, alone[of][rank]!)))
  return {
    moved: away(mean, alone.mean),
    farthest: most('honest', honest),
    served: most('serve', serve),
    liarsNamed,
    honestNamed,
    arrived,
    changed
  }
}

/** Where sites start, where all go, where liars drag, and where each goes by itself, by rank. */
interface Places {
  readonly start: Float32Array
  readonly direction: Float32Array
  readonly optima: readonly Float32Array[]
}

/** The optima of honest sites are the same whoever lies. */
function drawPlaces ({ sites, seed, by }: Case): Places {
  const normal = normalNumbers(seededRandom(seed, STREAM))
  const vector = (length: number): Float32Array => Float32Array.from({ length: DIM }, () => length * normal() / Math.sqrt(DIM))
  const [start, common, direction] = [vector(1), vector(1), vector(1)]
  const isOwn = (i: number): boolean => by === 'clusters' && i >= DIM - OF_KIND
  const optima = Array.from({ length: sites }, (_, rank) => vector(UNLIKE).map((own, i) =>
    start[i]! + (isOwn(i) && rank % 2 === 1 ? -1 : 1) * common[i]! + own))
  return { start, direction, optima }
}

function createMethod (
  { sites, liars, seed, by }: Case,
  { optima }: Places,
  step: (rank: number) => Step,
  { core }: FactLie
): Method | undefined {
  if (by == null) return undefined
  const lyingCores = new Map(core == null ? [] : Array.from({ length: liars }, (_, i) => [sites - liars + i, core] as const))
  return methodOf(by, { count: sites, seed, optima, step, lyingCores })
}

function lieAboutFacts ({ sites, liars, seed, kind = '', by }: Case, direction: Float32Array): FactLie {
  return by == null || liars === 0 ? {} : factLies(by, { sites, liars, seed, direction })[kind] ?? {}
}

async function run (each: Case): Promise<Ran> {
  const { sites, liars, seed, kind = '', by } = each
  const places = drawPlaces(each)
  const { start, direction, optima } = places
  const told = lieAboutFacts(each, direction)
  const step = (rank: number): Step => (adapter, { steps, normal }) => trained(adapter, optima[rank]!, steps, normal)
  const method = createMethod(each, places, step, told)
  const rankOf = (index: number): number => {
    const isLiar = federation.sites[index]!.isLiar
    const rank = federation.sites.filter((site) => site.isLiar === isLiar && site.index < index).length
    return isLiar ? sites - liars + rank : rank
  }
  const federation = new VirtualFederation({
    ...DEFAULTS, peers: sites, dim: DIM, rounds: ROUNDS, delay: 100, liars: liars / sites, maxMass: MOST_MASS, seed
  }, {
    start,
    clipRadius: CLIP_RADIUS,
    learn: (index) => (adapter, how) => method?.learn?.(rankOf(index), adapter, how) ?? step(rankOf(index))(adapter, how),
    lie: { tell: () => {}, ...liesAlong(direction, start)[told.vectors ?? kind], facts: told.facts },
    tells: method == null ? undefined : tells(method, rankOf),
    tensors: by === 'clusters' ? TENSORS : undefined
  })
  for (let cycle = 0; federation.training?.isOver !== true; cycle++) {
    if (cycle === MOST_CYCLES) throw new Error(`the sites have not finished their rounds within ${MOST_CYCLES} cycles`)
    await federation.cycle()
  }
  await federation.settle()
  const ofKind = (rest: number): VirtualSite[] => federation.sites.filter(({ index }) => rankOf(index) % 2 === rest)
  const changed = Math.max(
    changeIn(federation.sites, { start, from: 0 }),
    ...by === 'clusters' && liars === 0 ? [0, 1].map((rest) => changeIn(ofKind(rest), { start, from: DIM - OF_KIND })) : []
  )
  return { start, changed, ...resultOf(federation, (index, adapter) => method?.serve?.(rankOf(index), adapter) ?? adapter) }
}

function tells ({ settings, facts }: Method, rankOf: (index: number) => number): Tells {
  return { method: settings, facts: (index, adapter) => facts(rankOf(index), adapter), maxMass: MOST_CLAIMED }
}

function trained (adapter: Float32Array, optimum: Float32Array, steps: number, normal: () => number): Float32Array {
  const share = 1 - (1 - RATE) ** (steps / STEPS)
  const noise = NOISE * Math.sqrt(steps / STEPS / DIM)
  return adapter.map((each, i) => each + share * (optimum[i]! - each) + noise * normal())
}

/** Of the numbers from `from` on. */
function changeIn (sites: readonly VirtualSite[], { start, from }: { readonly start: Float32Array, readonly from: number }): number {
  const expected = Float64Array.from(start, (each, i) =>
    sites.reduce((sum, { averager: { mass }, moved }) => sum + mass * (each + moved![i]!), 0))
  const size = weightedSize(sites)
  return Math.max(...weightedSum(sites).slice(from).map((each, i) => Math.abs(each - expected[from + i]!) / size))
}

function resultOf (
  federation: VirtualFederation,
  serve: (index: number, adapter: Float32Array) => Float32Array
): Omit<Ran, 'start' | 'changed'> {
  const honest = federation.sites.filter(({ isLiar }) => !isLiar)
  const named = federation.named()
  const { steps } = federation.training!.result
  return {
    mean: weightedMean(honest),
    honest: honest.map(({ averager }) => averager.values),
    serve: honest.map(({ index, averager }) => serve(index, averager.values)),
    liarsNamed: federation.sites.filter(({ isLiar, id }) => isLiar && named.has(id)).length,
    honestNamed: honest.filter(({ id }) => named.has(id)).length,
    arrived: steps.arrived / steps.trained
  }
}
