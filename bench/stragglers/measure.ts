import { mean } from '../../src/common/mean.ts'
import { DEFAULTS } from '../../src/simulation/options.ts'
import { simulate } from '../../src/simulation/simulate.ts'
import type { TrainingResult } from '../../src/simulation/virtual-training.ts'

const FACTORS = [2, 3, 5, 8, 20]
/** Undisturbed runs, with which all others are compared. */
const COMPARED = 30

interface Case {
  readonly sites: number
  readonly slow: number
  readonly seeds: number
  readonly maxMass?: number
}

/** Masses of the four as real ones are: equal ones can meet in the exact average by luck. */
export const CASES = {
  oneOfEight: { sites: 8, slow: 1, seeds: 20 },
  twoOfEight: { sites: 8, slow: 2, seeds: 30 },
  oneOfFour: { sites: 4, slow: 1, seeds: 30, maxMass: 10 }
} as const

export interface Row {
  /** 1: nobody is slow. */
  readonly slowness: number
  readonly runs: readonly TrainingResult[]
  /** Mean virtual seconds until the others are close; Infinity where they never were. */
  readonly seconds: number
}

/** All factors of one case, the undisturbed first. */
export async function measure ({ sites, slow, seeds, maxMass = 1 }: Case, factors: readonly number[] = FACTORS): Promise<Row[]> {
  const rows: Row[] = []
  for (const slowness of [1, ...factors]) {
    const runs: TrainingResult[] = []
    for (let seed = 1; seed <= (slowness === 1 ? COMPARED : seeds); seed++) {
      const options = { ...DEFAULTS, peers: sites, dim: 64, stragglers: slow / sites, delay: 100, maxMass, slowness, seed }
      runs.push((await simulate(options)).training!)
    }
    rows.push({ slowness, runs, seconds: mean(runs.map(({ spreadSeconds }) => spreadSeconds ?? Infinity)) })
  }
  return rows
}

/** Of the slow sites' steps, those that arrived at another site: in the worst run. */
export function leastArrived ({ runs }: Row): number {
  return Math.min(...runs.map(({ slowSteps: { arrived, trained } }) => arrived / trained))
}
