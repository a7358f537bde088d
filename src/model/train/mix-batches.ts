import { seededRandom } from '../../common/random.ts'
import type { Fitted } from '../../dataset/index.ts'
import { epochBatches, type Batch } from './batches.ts'

interface MixBatches {
  readonly samples: readonly Fitted[]
  readonly batchSize: number
  readonly augment: boolean
  readonly siteSeed: number
  /** From 1. */
  readonly round: number
}

/** Stream of the site's seed, apart from those of batches that are trained on. */
const STREAM = 0x6d1c

/** Batches without end on which a site learns what to take of the average. */
export function * mixBatches ({ samples, batchSize, augment, siteSeed, round }: MixBatches): Generator<Batch, never> {
  const random = seededRandom(siteSeed, STREAM + round)
  for (;;) {
    for (const batch of epochBatches(samples, batchSize, random, augment)) yield { samples: batch, random }
  }
}
