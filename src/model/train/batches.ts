import { type Random, seededRandom, shuffled } from '../../common/random.ts'
import { augment, type Fitted } from '../../dataset/index.ts'
import type { TrainPhase } from '../../settings/method.ts'

/** One batch, and the random numbers that go on with it. */
export interface Batch {
  readonly samples: readonly Fitted[]
  readonly random: Random
}

/** Which images, how many at a time, and whose order and augmentation. */
export interface BatchSource {
  readonly samples: readonly Fitted[]
  readonly batchSize: number
  readonly siteSeed: number
  readonly phase: TrainPhase
  readonly augment: boolean
}

/** Where in a site's training a phase begins, in steps, and how many steps a whole round has. */
export interface Stretch {
  readonly from: number
  readonly steps: number
}

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

/** The batches of so many epochs of round `round`. */
export function * batchesOfEpochs (source: BatchSource, { round, epochs }: { round: number, epochs: number }): Generator<Batch> {
  const { samples, batchSize, siteSeed, phase, augment: augmented } = source
  for (let epoch = 0; epoch < epochs; epoch++) {
    const random = epochRandom(siteSeed, round, phase, epoch)
    for (const batch of epochBatches(samples, batchSize, random, augmented)) yield { samples: batch, random }
  }
}

/**
 * Batches without end that go through the images without replacement, epoch after epoch, from step `from` (0 at the start of training)
 * on: the same from the same step, wherever rounds begin. `steps` is how many a round has: where these are whole epochs, the batches are
 * those of `batchesOfEpochs`.
 */
export function * batchesFrom (source: BatchSource, { from, steps }: Stretch): Generator<Batch> {
  const { samples: { length }, batchSize } = source
  const perRound = Math.max(1, Math.floor(steps * batchSize / length))
  let [position, random] = [from * batchSize, undefined as Random | undefined]
  let current: { readonly epoch: number, readonly order: readonly Fitted[] } | undefined
  const next = (): Fitted => {
    const epoch = Math.floor(position / length)
    if (current?.epoch !== epoch) {
      const fresh = epochRandom(source.siteSeed, Math.floor(epoch / perRound) + 1, source.phase, epoch % perRound)
      current = { epoch, order: shuffled(source.samples, fresh) }
      // In the middle of an epoch the numbers that its first steps drew are not known.
      random = position % length === 0 ? fresh : seededRandom(Math.floor(fresh() * 2 ** 32), position)
    }
    return current.order[position++ % length]!
  }
  for (;;) {
    yield {
      samples: Array.from({ length: batchSize }, () => {
        const sample = next()
        return source.augment ? augment(sample, random!) : sample
      }),
      random: random!
    }
  }
}

/** Chunks of exactly `size` in order, the last one filled up with its own last sample; `count` says how many are real. */
export function * paddedChunks<T> (samples: readonly T[], size: number): Generator<{ chunk: T[], count: number }> {
  for (let start = 0; start < samples.length; start += size) {
    const real = samples.slice(start, start + size)
    yield { chunk: Array.from({ length: size }, (_, i) => real[i] ?? real.at(-1)!), count: real.length }
  }
}
