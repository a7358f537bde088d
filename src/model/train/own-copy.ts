import { mean } from '../../common/mean.ts'
import { DEFAULT_TAIL, type MethodSettings, type Serves } from '../../settings/method.ts'

/** One-sided 90 %: a site leaves the shared adapter where another is better by more than this many standard errors. */
const ERRORS = 1.28
/**
 * A few images hardly tell how much gains differ between images: they count as if so many more had been seen, with a deviation of this
 * part of what the shared adapter lacks to a Dice of 1.
 */
const BEFORE = { images: 3, part: 0.5 }

/** What a site may serve from its choice on. */
export interface Candidate {
  readonly serves: Serves
  readonly values: Float32Array
}

/** The last round whose images are without those that the site chooses by: then it chooses. */
export function choosingRound (rounds: number, { tail = DEFAULT_TAIL }: Pick<MethodSettings, 'tail'>): number {
  return rounds - Math.round(tail * rounds)
}

/** The shared adapter, what a phase at home makes of it, and the one trained alone; mixtures were no better (docs/evidence.md). */
export function candidates (shared: Float32Array, tuned: Float32Array, alone: Float32Array): Candidate[] {
  return [
    { serves: 'shared', values: shared },
    { serves: 'tuned', values: tuned },
    { serves: 'alone', values: alone }
  ]
}

/**
 * The first, unless another has a better Dice on the same images by more than chance; of several that have, the best. `dice`: of each
 * candidate, by image.
 */
export function chosen<T> (all: readonly T[], dice: readonly (readonly number[])[]): T {
  const [first = []] = dice
  let best: T = all[0]!
  let most = -Infinity
  all.forEach((candidate, i) => {
    const gains = dice[i]?.map((each, image) => each - first[image]!) ?? []
    const gain = mean(gains)
    const isMore = gains.length > 0 && gain > ERRORS * standardError(gains, BEFORE.part * (1 - mean(first)))
    if (i === 0 || !isMore || gain <= most) return
    best = candidate
    most = gain
  })
  return best
}

function standardError (values: readonly number[], before: number): number {
  const average = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - average) ** 2, BEFORE.images * before ** 2)
  return Math.sqrt(squares / (values.length - 1 + BEFORE.images) / values.length)
}
