import type { CopyState } from '../parameters/private-state.ts'
import { isBetter, partOf, PARTS, withPart, type Candidate } from './own-copy.ts'

export interface CopyRound {
  readonly copy: CopyState
  /** The shared adapter as it stands, flat. */
  readonly shared: Float32Array
  /** From 1; beyond `rounds` when the cool-down is over. */
  readonly round: number
  readonly rounds: number
  /** Round in which the site chooses, or the first after it. */
  readonly choosing: number
  /** The steps of one phase at home from these values on, with this part of the learning rate, that of round `asRound`. */
  readonly fit: (values: Float32Array, rate?: { readonly part: number, readonly asRound: number }) => Promise<Fitted>
  /** By image, on those that the site holds back until it has chosen. */
  readonly diceOf: (values: Float32Array) => Promise<number[]>
}

interface Fitted { readonly value: Float32Array, readonly loss: number, readonly steps: number }

/** Of the learning rate: what is fitted at home, to few images, goes slowly (docs/evidence.md#personalisation-that-does-not-cost). */
const RATE = 0.3

/**
 * One round of what is a site's own: the adapter of the site alone, its update on top of the shared adapter, and from the choice on what it
 * serves. What comes after that, the cool-down's share too, is served unless it is worse on images of the site, by more than chance.
 */
export async function trainCopies (run: CopyRound): Promise<{ readonly copy: CopyState, readonly loss: number, readonly steps: number }> {
  const { copy, round, rounds, choosing, fit } = run
  const { value: alone, loss, steps } = round > rounds ? { value: copy.alone, loss: 0, steps: 0 } : await fit(copy.alone)
  const tuned = { ...copy, alone, own: await ownAfter(run), steps: copy.steps + steps }
  if (round < choosing) return { copy: tuned, loss, steps }
  const chosen = copy.part == null ? await choose(run, tuned) : { ...tuned, served: await servedNow(run, tuned) }
  return { copy: chosen, loss, steps }
}

/** As many rounds before the choice as come after it, so that what is chosen by is like what is served. */
async function ownAfter ({ copy: { own }, shared, round, rounds, choosing, fit }: CopyRound): Promise<Float32Array> {
  const tail = rounds - choosing
  if (round <= choosing - tail) return own
  const { value } = await fit(withPart(shared, own, 1), { part: RATE, asRound: round <= choosing ? round : round - tail })
  return value.map((each, i) => each - shared[i]!)
}

/** After it the update begins anew, with all images. */
async function choose ({ shared, diceOf }: CopyRound, tuned: CopyState): Promise<CopyState> {
  const { own, alone } = tuned
  const dice: number[][] = []
  for (const part of PARTS) dice.push(await diceOf(withPart(shared, own, part)))
  // As a file keeps it.
  const part = Math.fround(partOf(dice))
  const mixed = withPart(shared, own, part)
  const isAlone = isBetter(await diceOf(mixed), await diceOf(alone))
  const served: Candidate = isAlone ? { serves: 'alone', values: alone } : { serves: 'tuned', values: mixed }
  return { ...tuned, part, served, own: new Float32Array(own.length) }
}

async function servedNow ({ shared, diceOf }: CopyRound, { served, alone, own, part = 0 }: CopyState): Promise<CopyState['served']> {
  if (served?.serves === 'alone') return { serves: 'alone', values: alone }
  const values = withPart(shared, own, part)
  const isWorse = served != null && isBetter(await diceOf(values), await diceOf(served.values))
  return isWorse ? served : { serves: 'tuned', values }
}
