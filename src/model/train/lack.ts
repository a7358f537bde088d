import * as tf from '@tensorflow/tfjs-core'
import { seededRandom, shuffled, type Random } from '../../common/random.ts'
import type { CompiledStep, HostRecord, Step } from '../../compute/index.ts'
import type { Fitted } from '../../dataset/index.ts'
import { mixed, mixedKnown } from '../blocks/mixup.ts'
import { classesTrained, targetFeeds } from '../classes/feeds.ts'
import { pairs } from '../components/mixup.ts'
import { lowResSide } from '../sam/build-sam.ts'
import { finish, frozenTokens, input, merged, promptsOf, type StepContext } from '../steps.ts'
import { paddedChunks } from './batches.ts'
import { breathe } from './host-records.ts'
import type { LearnerInit, PhaseArgs } from './learner-args.ts'

/** Images of a site that are looked at in a round. */
export const MOST_IMAGES = 64
export const FACT_BATCH = 8
const EPSILON = 1e-5
/** Below the smallest share of a cell, summed over a class that is shown. */
const LEAST = 1e-6
/** Apart from the streams of batches. */
const STREAM = 0x7ac2

/** Soft Dice `dice` [B,C] of the forward step's masks, and `shown` [B,C]: 1 for classes that an image shows, else 0. */
export function softDiceStep (context: StepContext): Step {
  return (t) => {
    const record = merged(t, context, t['@gamma'], t['@lambda'])
    const { masks } = finish(frozenTokens(record, context), context.firstAdapted, record, context, promptsOf(t))
    const [images = 0, classes = 0] = masks.shape
    const rows = (each: tf.Tensor): tf.Tensor => tf.reshape(each, [images, classes, -1])
    const known = t['@known']
    const [p, y] = [tf.sigmoid(rows(masks)), rows(mixed(input(t, 'targets'), t))]
    const w = known == null ? tf.onesLike(y) : rows(mixedKnown(known, t))
    const both = tf.add(tf.mul(tf.sum(tf.mul(w, tf.mul(p, y)), 2), 2), EPSILON)
    const either = tf.add(tf.sum(tf.mul(w, tf.add(tf.square(p), tf.square(y))), 2), EPSILON)
    return { dice: tf.div(both, either), shown: tf.minimum(tf.div(tf.sum(tf.mul(w, y), 2), LEAST), 1) }
  }
}

export interface FactsInit {
  readonly step: CompiledStep
  readonly init: Pick<LearnerInit, 'method' | 'labels' | 'config' | 'train' | 'siteSeed'>
  readonly args: Pick<PhaseArgs, 'samples' | 'round' | 'siteSeed'>
  /** Images and prompts of a batch. */
  readonly shown: (chunk: readonly Fitted[]) => Promise<HostRecord>
  /** Of the shared adapter, and of the site's own model. */
  readonly shared: HostRecord
  readonly own: HostRecord
}

/**
 * What a site may announce of the shared adapter, as its method asks: `loss`, which is what the adapter lacks on the site's training
 * images, 0 to 1: 1 − mean soft Dice over up to 64 of them, drawn anew each round and mixed as training mixes them; of an excess, what
 * the site's own model lacks is taken off (docs/spec/mixing.md#robust).
 */
export async function factsOf (facts: FactsInit): Promise<{ readonly loss: Float32Array }> {
  const { step, init, args: { samples, round, siteSeed = init.siteSeed }, shared, own } = facts
  const random = seededRandom(siteSeed, STREAM + round)
  const chosen = shuffled(samples, random).slice(0, MOST_IMAGES)
  const sums = { shared: 0, own: 0, shown: 0 }
  for (const { chunk, count } of paddedChunks(chosen, FACT_BATCH)) {
    const fed = await feedsOf(facts, chunk, random)
    const { dice, shown } = await step.run({ ...fed, ...shared })
    const best = init.method?.robust?.excess === true ? (await step.run({ ...fed, ...own }))['dice'] : undefined
    const numbers = count * shown!.data.length / chunk.length
    for (let i = 0; i < numbers; i++) {
      sums.shared += shown!.data[i]! * dice!.data[i]!
      sums.own += shown!.data[i]! * (best?.data[i] ?? 1)
      sums.shown += shown!.data[i]!
    }
    await breathe()
  }
  const loss = sums.shown === 0 ? 0 : (sums.own - sums.shared) / sums.shown
  return { loss: Float32Array.of(Math.min(1, Math.max(0, loss))) }
}

async function feedsOf ({ init, shown }: FactsInit, chunk: readonly Fitted[], random: Random): Promise<HostRecord> {
  const { config, labels, train: { mixup } } = init
  return {
    ...await shown(chunk),
    ...targetFeeds(chunk, lowResSide(config), classesTrained(chunk, labels)),
    ...(mixup == null ? {} : pairs(chunk.length, mixup, random))
  }
}
