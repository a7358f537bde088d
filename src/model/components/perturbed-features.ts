import * as tf from '@tensorflow/tfjs-core'
import { branched, type Random } from '../../common/random.ts'
import type { HostRecord } from '../../compute/index.ts'
import type { TrainSettings } from '../../settings/training.ts'
import { featureLoss } from '../objectives/distillation.ts'
import { scalar } from '../train/host-records.ts'
import { isLabelled } from '../train/paired-batches.ts'
import type { Component, Term } from './component.ts'

type PerturbedFeatures = NonNullable<TrainSettings['perturbedFeatures']>

/**
 * In phase G the decoder runs a second time, on an embedding of `width` channels some of which are missing, and is to come to the same
 * features (docs/spec/teachers.md#perturbed-features). A site without labels has no such run: by itself it would level all features.
 */
export function perturbedFeatures ({ weight, rate }: PerturbedFeatures, width: number): Component {
  const term: Term = {
    name: 'perturbed features',
    weight: '@perturbed',
    loss: ({ student: { embedding, picture }, pictureOf, weights }) =>
      featureLoss(pictureOf(tf.mul(embedding, weights['@channels']!)), picture)
  }
  return {
    name: 'perturbed-features',
    terms: { G: [term] },
    feeds: (phase, batch, random, { samples }): HostRecord => phase === 'G' && samples.some(isLabelled)
      ? { '@perturbed': scalar(weight), '@channels': keptChannels(batch.length, width, rate, branched(random)) }
      : {}
  }
}

/** [B,1,1,d]: 0 with probability `rate`, else 1/(1 − rate), so that the mean stays. */
export function keptChannels (images: number, width: number, rate: number, random: Random): HostRecord[string] {
  const data = Float32Array.from({ length: images * width }, () => random() < rate ? 0 : 1 / (1 - rate))
  return { shape: [images, 1, 1, width], data }
}
