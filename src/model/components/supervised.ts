import * as tf from '@tensorflow/tfjs-core'
import { knownLoss, supervisedLoss } from '../objectives/supervised.ts'
import type { Component, Run, Term } from './component.ts'

const TERM: Term = {
  name: 'supervised',
  loss: ({ student, ...truth }) => lossOf(firstViews(student.masks, truth.targets.shape[0]), truth)
}

/** Of mask logits against the shares of each class, over what is known of them. */
export function lossOf (masks: tf.Tensor, { targets, known, overlap }: Pick<Run, 'targets' | 'known' | 'overlap'>): tf.Scalar {
  return known == null ? supervisedLoss(masks, targets) : knownLoss(masks, { targets, known, overlap })
}

/** Of several views of each image the first is compared with its mask. */
function firstViews (masks: tf.Tensor, images: number): tf.Tensor {
  return masks.shape[0] === images ? masks : tf.slice(masks, [0, 0, 0, 0], [images, ...masks.shape.slice(1)])
}

/** Cross-entropy and Dice against the masks, in both phases (docs/spec/pfedsam.md#losses). */
export const supervised = { name: 'supervised', terms: { G: [TERM], L: [TERM] } } as const satisfies Component
