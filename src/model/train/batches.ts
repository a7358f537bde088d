import { type Random, seededRandom, shuffled } from '../../common/random.ts'
import { augment, type Fitted } from '../../dataset/index.ts'
import type { TrainPhase } from '../../settings/method.ts'

/** Everything random in one epoch comes from here, so that a round that is repeated after a crash repeats exactly. */
export function epochRandom (siteSeed: number, round: number, phase: TrainPhase, epoch: number): Random {
  return seededRandom(siteSeed, (round * 2 + (phase === 'G' ? 0 : 1)) * 4096 + epoch)
}

/** Steps of one epoch: the last batch is filled up. */
export function stepsPerEpoch (samples: number, batchSize: number): number {
  return Math.ceil(samples / batchSize)
}

/**
 * Shuffled batches of exactly `batchSize`, augmented unless told not to; the last wraps around to the epoch's first samples, so that
 * one shape serves all steps.
 */
export function * epochBatches (samples: readonly Fitted[], batchSize: number, random: Random, augmented = true): Generator<Fitted[]> {
  const order = shuffled(samples, random)
  for (let step = 0; step < stepsPerEpoch(order.length, batchSize); step++) {
    yield Array.from({ length: batchSize }, (_, i) => {
      const sample = order[(step * batchSize + i) % order.length]!
      return augmented ? augment(sample, random) : sample
    })
  }
}

/** Chunks of exactly `size` in order, the last one filled up with its own last sample; `count` says how many are real. */
export function * paddedChunks<T> (samples: readonly T[], size: number): Generator<{ chunk: T[], count: number }> {
  for (let start = 0; start < samples.length; start += size) {
    const real = samples.slice(start, start + size)
    yield { chunk: Array.from({ length: size }, (_, i) => real[i] ?? real.at(-1)!), count: real.length }
  }
}
