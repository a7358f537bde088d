import { squaredDistance, spreadOf, totalMass, weightedMean, weightedSize, weightedSum } from './measure.ts'
import type { SimulationOptions } from './options.ts'
import { contractionRate, theoryRate } from './theory.ts'
import { VirtualFederation } from './virtual-federation.ts'

interface CycleReport {
  /** 0 is the start. */
  readonly cycle: number
  /** Over the honest sites: mean over sites and coordinates of the squared distance to their mean. */
  readonly variance: number
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
  /** Changes of Σw and, as a share of Σw·‖x‖, of Σw·x, all sites taken, once nothing is in doubt. */
  readonly changed: { readonly mass: number, readonly weightedSum: number }
}

/** Runs a virtual federation; same options, same result. */
export async function simulate (options: SimulationOptions): Promise<SimulationResult> {
  const federation = new VirtualFederation(options)
  const { sites } = federation
  const honest = sites.filter(({ isLiar }) => !isLiar)
  const before = {
    mass: totalMass(sites),
    sum: weightedSum(sites),
    size: weightedSize(sites),
    mean: weightedMean(honest),
    ...spreadOf(honest)
  }
  const cycles: CycleReport[] = [{ cycle: 0, variance: before.variance, spread: 1, bytesPerSite: 0 }]
  for (let cycle = 1; cycle <= options.cycles; cycle++) {
    await federation.cycle()
    const { variance, farthest } = spreadOf(honest)
    cycles.push({
      cycle,
      variance,
      spread: farthest / before.farthest,
      bytesPerSite: sites.reduce((sum, { bytesSent }) => sum + bytesSent, 0) / sites.length
    })
  }
  await federation.settle()
  const named = federation.named()
  const start = Math.sqrt(before.variance * options.dim)
  const mass = totalMass(sites)
  return {
    cycles,
    contractionRate: contractionRate(cycles.map(({ variance }) => variance)),
    theoryRate: theoryRate(options.partner),
    liars: sites.length - honest.length,
    liarsNamed: sites.filter(({ isLiar, id }) => isLiar && named.has(id)).length,
    honestNamed: honest.filter(({ id }) => named.has(id)).length,
    meanMoved: Math.sqrt(squaredDistance(weightedMean(honest), before.mean)) / start,
    changed: {
      mass: Math.abs(mass / before.mass - 1),
      weightedSum: Math.sqrt(squaredDistance(weightedSum(sites), before.sum)) / before.size
    }
  }
}
