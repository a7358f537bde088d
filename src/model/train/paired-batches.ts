import { isPartial, type Fitted } from '../../dataset/index.ts'
import { batchesFrom, type Batch, type BatchSource, type Stretch } from './batches.ts'

/** Keeps the order of one half apart from that of the other. */
const OTHER_HALF = 0x7061_6972

/** Something is known of it. */
export function isLabelled ({ kind }: Fitted): boolean {
  return kind !== 'none'
}

/** Images at the end of a batch of so many that are learnt from teachers: half of them, or all where a site has no labels. */
export function studiedOf (samples: readonly Fitted[], batchSize: number): number {
  if (!samples.some(isPartial)) return 0
  return samples.some(isLabelled) ? Math.floor(batchSize / 2) : batchSize
}

/**
 * Batches without end whose first images have labels, and whose last ones no whole mask, from two streams: the shorter one begins anew
 * more often (docs/spec/teachers.md#pairs). Undefined where a site has whole masks alone.
 */
export function pairedBatches (source: BatchSource, stretch: Stretch): Generator<Batch> | undefined {
  const { samples, batchSize, siteSeed } = source
  const studied = studiedOf(samples, batchSize)
  if (studied === 0) return undefined
  return joined(
    { ...source, samples: samples.filter(isLabelled), batchSize: batchSize - studied },
    { ...source, samples: samples.filter(isPartial), batchSize: studied, siteSeed: siteSeed ^ OTHER_HALF },
    stretch
  )
}

function * joined (labelled: BatchSource, partial: BatchSource, stretch: Stretch): Generator<Batch> {
  const first = labelled.batchSize === 0 ? undefined : batchesFrom(labelled, stretch)
  for (const { samples, random } of batchesFrom(partial, stretch)) {
    const known = first?.next().value as Batch | undefined
    yield known == null ? { samples, random } : { samples: [...known.samples, ...samples], random: known.random }
  }
}
