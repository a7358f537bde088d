import { mean } from '../../common/mean.ts'
import type { CopyState } from '../parameters/private-state.ts'
import { candidates, chosen } from './own-copy.ts'

export interface CopyRound {
  readonly copy: CopyState
  /** The shared adapter as it stands, flat. */
  readonly shared: Float32Array
  /** From 1; beyond `rounds` when the cool-down is over. */
  readonly round: number
  readonly rounds: number
  /** Round in which the site chooses, or the first after it. */
  readonly choosing: number
  /** The steps of one phase at home from these values on. */
  readonly fit: (values: Float32Array) => Promise<Fitted>
  /** By image, on those that the site holds back until it has chosen. */
  readonly diceOf: (values: Float32Array) => Promise<number[]>
}

interface Fitted { readonly value: Float32Array, readonly loss: number, readonly steps: number }

/**
 * One round of what is a site's own: the adapter of the site alone, and from the choice on what it serves. What the others make of the
 * shared adapter after that, the cool-down's share too, is served where it is no worse on images of the site.
 */
export async function trainCopies (run: CopyRound): Promise<{ readonly copy: CopyState, readonly loss: number, readonly steps: number }> {
  const { copy, round, rounds, fit } = run
  if (round > rounds) return { copy: { ...copy, served: await sharedNow(run) ?? copy.served }, loss: 0, steps: 0 }
  const { value: alone, loss, steps } = await fit(copy.alone)
  return { copy: { alone, steps: copy.steps + steps, served: await servedAfter(run, alone) }, loss, steps }
}

async function servedAfter (run: CopyRound, alone: Float32Array): Promise<CopyState['served']> {
  const { copy: { served }, shared, round, choosing, fit, diceOf } = run
  const fitted = async (values: Float32Array): Promise<Float32Array> => (await fit(values)).value
  switch (served?.serves) {
    case 'shared': return await sharedNow(run)
    case 'alone': return { serves: 'alone', values: alone }
    case 'tuned': return { ...served, values: await fitted(served.values) }
    case undefined: if (round < choosing) return undefined
  }
  const all = candidates(shared, await fitted(shared), alone)
  const dice: number[][] = []
  for (const { values } of all) dice.push(await diceOf(values))
  return chosen(all, dice)
}

/** Undefined where the site serves a copy. */
async function sharedNow ({ copy: { served }, shared, diceOf }: CopyRound): Promise<CopyState['served']> {
  if (served?.serves !== 'shared') return undefined
  const [now, before] = [mean(await diceOf(shared)), mean(await diceOf(served.values))]
  return now < before ? served : { ...served, values: shared }
}
