import { mean } from '../../common/mean.ts'
import { seededRandom } from '../../common/random.ts'
import { percentile } from './percentile.ts'

/** A mean over patients and its 95 % interval; NaN for a mean of none, and for the bounds of fewer than two. */
export interface Interval {
  readonly mean: number
  readonly low: number
  readonly high: number
  /** how many patients */
  readonly count: number
}

const DRAWS = 2000

/** The percentile interval of the mean of patients drawn anew with replacement, the same for the same values and seed (Efron 1979). */
export function bootstrapMean (values: readonly number[], seed: number): Interval {
  const count = values.length
  const random = seededRandom(seed)
  const draw = (): number => mean(values.map(() => values[Math.floor(random() * count)]!))
  const means = count < 2 ? [] : Array.from({ length: DRAWS }, draw)
  return { mean: mean(values), low: percentile(means, 0.025), high: percentile(means, 0.975), count }
}
