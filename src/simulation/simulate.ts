import { squaredDistance, spreadOf, totalMass, weightedMean, weightedSize, weightedSum } from './measure.ts'
import type { SimulationOptions } from './options.ts'
import { contractionRate, theoryRate } from './theory.ts'
import { VirtualFederation } from './virtual-federation.ts'
import type { TrainingResult } from './virtual-training.ts'

interface CycleReport {
  /** 0 is the start. */
  readonly cycle: number
  /** Over the honest sites: mean over sites and coordinates of the squared distance to their mean. */
  readonly variance: number
  /** Where sites train: the same over those that are not slow. */
  readonly others?: number
  /** Largest ‖x_i − x̄‖ of an honest site, relative to the start. */
  readonly spread: number
  /** Of vectors, sent since the start. */
  readonly bytesPerSite: number
}

export interface SimulationResult {
  readonly cycles: readonly CycleReport[]
  /** Factor of the variance per cycle, fitted; null with too few cycles. */
  readonly contractionRate: number | null
  readonly theoryRate: number | null
  readonly liars: number
  /** Liars whom at least one honest site named. */
  readonly liarsNamed: number
  /** Honest sites whom at least one honest site named. */
  readonly honestNamed: number
  /** How far the mean of the honest sites moved, in multiples of their RMS distance from it at the start. */
  readonly meanMoved: number
  /** Where sites train. */
  readonly training: TrainingResult | null
  /** Where sites tell facts: how large the clusters are that they make of them, and what one announces. */
  readonly facts: { readonly clusters: readonly number[], readonly announced: Float32Array } | null
  /**
   * Changes of Σw and, as a share of Σw·‖x‖, of Σw·x, of all sites, once nothing is in doubt; but for what training added and
   * what was taken over by catching up.
   */
  readonly changed: { readonly mass: number, readonly weightedSum: number }
}

/** A training federation that needs more hangs. */
const MOST_CYCLES = 1_000_000

/** Runs a virtual federation; same options, same result. */
export async function simulate (options: SimulationOptions): Promise<SimulationResult> {
  const federation = new VirtualFederation(options)
  const { sites, facts: told } = federation
  const honest = sites.filter(({ isLiar }) => !isLiar)
  const before = {
    mass: totalMass(sites),
    sum: weightedSum(sites),
    size: weightedSize(sites),
    mean: weightedMean(honest),
    ...spreadOf(honest)
  }
  const cycles: CycleReport[] = [{ cycle: 0, variance: before.variance, ...othersIn(federation), spread: 1, bytesPerSite: 0 }]
  const isOver = (cycle: number): boolean => federation.training?.isOver ?? cycle >= options.cycles
  for (let cycle = 1; !isOver(cycle - 1); cycle++) {
    if (cycle > MOST_CYCLES) throw new Error(`the sites have not finished their rounds within ${MOST_CYCLES} cycles`)
    await federation.cycle()
    const { variance, farthest } = spreadOf(honest)
    cycles.push({
      cycle,
      variance,
      ...othersIn(federation),
      spread: farthest / before.farthest,
      bytesPerSite: sites.reduce((sum, { bytesSent }) => sum + bytesSent, 0) / sites.length
    })
  }
  await federation.settle()
  const named = federation.named()
  const start = Math.sqrt(before.variance * options.dim)
  const mass = totalMass(sites)
  const training = federation.training?.result ?? null
  const expected = before.sum.map((sum, index) =>
    sites.reduce((total, { moved, averager }) => total + averager.mass * (moved?.[index] ?? 0), sum)
  )
  return {
    cycles,
    contractionRate: training == null ? contractionRate(cycles.map(({ variance }) => variance)) : null,
    theoryRate: training == null ? theoryRate(options.partner) : null,
    liars: sites.length - honest.length,
    liarsNamed: sites.filter(({ isLiar, id }) => isLiar && named.has(id)).length,
    honestNamed: honest.filter(({ id }) => named.has(id)).length,
    meanMoved: Math.sqrt(squaredDistance(weightedMean(honest), before.mean)) / start,
    training,
    facts: told == null ? null : { clusters: told.found.map(({ length }) => length), announced: told.announced },
    changed: {
      mass: Math.abs(mass / before.mass - 1),
      weightedSum: Math.sqrt(squaredDistance(weightedSum(sites), expected)) / before.size
    }
  }
}

function othersIn ({ training }: VirtualFederation): { others?: number } {
  return training == null ? {} : { others: training.variance }
}
