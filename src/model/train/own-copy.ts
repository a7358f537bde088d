import { mean } from '../../common/mean.ts'
import { DEFAULT_TAIL, type MethodSettings, type Serves } from '../../settings/method.ts'

/** One-sided 90 %: a site leaves what it has for what it trained alone where that is better by more than this many standard errors. */
const ERRORS = 1.28
/**
 * A few images hardly tell how much gains differ between images: they count as if so many more had been seen, with a deviation of this
 * part of what is lacking to a Dice of 1.
 */
const BEFORE = { images: 3, part: 0.5 }
/** Parts of its own update, between which a site weighs: a few images choose none, but make some of them likelier. */
export const PARTS: readonly number[] = [0, 0.25, 0.5, 0.75, 1]
/** By how much less likely all of it is than none, before any image was seen, as a power of e; and the Dice of an image that makes up 1. */
const CAUTION = { all: 2, dice: 0.05 }

/** What a site may serve from its choice on. */
export interface Candidate {
  readonly serves: Serves
  readonly values: Float32Array
}

/** The last round whose images are without those that the site chooses by: then it chooses. */
export function choosingRound (rounds = Infinity, { tail = DEFAULT_TAIL }: Pick<MethodSettings, 'tail'> = {}): number {
  return rounds - Math.round(tail * rounds)
}

/** The shared adapter, and on it this part of what the site learnt at home. */
export function withPart (shared: Float32Array, own: Float32Array, part: number): Float32Array {
  return shared.map((value, i) => value + part * own[i]!)
}

/**
 * Which part of its own update a site serves: the mean of PARTS, each as likely as their Dice on the held images makes it. `dice`: of each
 * of PARTS, by image.
 */
export function partOf (dice: readonly (readonly number[])[]): number {
  const [none = []] = dice
  const gains = dice.map((each) => each.reduce((sum, value, image) => sum + value - none[image]!, 0))
  const powers = PARTS.map((part, i) => (gains[i] ?? 0) / CAUTION.dice - CAUTION.all * part)
  const most = Math.max(...powers)
  const weights = powers.map((power) => Math.exp(power - most))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return PARTS.reduce((sum, part, i) => sum + part * weights[i]! / total, 0)
}

/** True where the second is better on the same images by more than chance; `dice` of both, by image. */
export function isBetter (first: readonly number[], second: readonly number[]): boolean {
  const gains = second.map((each, image) => each - first[image]!)
  return gains.length > 0 && mean(gains) > ERRORS * standardError(gains, BEFORE.part * (1 - mean(first)))
}

function standardError (values: readonly number[], before: number): number {
  const average = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - average) ** 2, BEFORE.images * before ** 2)
  return Math.sqrt(squares / (values.length - 1 + BEFORE.images) / values.length)
}
