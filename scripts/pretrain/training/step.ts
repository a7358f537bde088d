import * as tf from '@tensorflow/tfjs-core'
import type { HostRecord, Step, TensorRecord } from '../../../src/compute/index.ts'
import { unpack, type Layout } from '../../../src/model/parameters/layout.ts'
import { lowResSide, type SamConfig } from '../../../src/model/sam/build-sam.ts'
import { encodeImage } from '../../../src/model/sam/image-encoder.ts'
import { promptMasks } from '../../../src/model/sam/sam.ts'
import { adamw, clipByNorm } from '../../../src/model/train/optimiser.ts'
import type { TaskBatch } from '../batches/batch.ts'
import { CLIP } from '../settings.ts'
import { taskLoss } from './loss.ts'

/** Vectors that a step takes and gives back; as long as the parameters. `mean` is their running mean, which is what ships. */
export const STATE = ['value', 'first', 'second', 'mean'] as const
export type State = Readonly<Record<typeof STATE[number], Float32Array>>

/** A batch as inputs of the steps below. */
export function batchInputs ({ images, coordinates, labels, targets }: TaskBatch, config: SamConfig): HostRecord {
  const { imageSize } = config
  const side = lowResSide(config)
  const count = images.length / (3 * imageSize ** 2)
  return {
    'batch.images': { shape: [count, imageSize, imageSize, 3], data: images },
    'batch.coordinates': { shape: [2 * count, 2, 2], data: coordinates },
    'batch.labels': { shape: [2 * count, 2], data: labels },
    'batch.targets': { shape: [3 * count, side, side], data: targets }
  }
}

/** All three tasks of a batch in the order of PROMPTS, one pass of the encoder: masks [3B,maps,L,L] and iou [3B,4]. */
function solve (weights: TensorRecord, config: SamConfig, maps: readonly number[]): { masks: tf.Tensor4D, iou: tf.Tensor2D } {
  const { embedding } = encodeImage(weights, config, weights['batch.images'] as tf.Tensor4D)
  const tokens = { coordinates: weights['batch.coordinates'] as tf.Tensor3D, labels: weights['batch.labels'] as tf.Tensor2D }
  const free = promptMasks(weights, config, embedding, {}, { maps })
  const prompted = promptMasks(weights, config, tf.concat([embedding, embedding], 0), { tokens }, { maps })
  return { masks: tf.concat([free.masks, prompted.masks], 0), iou: tf.concat([free.iou, prompted.iou], 0) }
}

/**
 * One step of AdamW on all trained tensors. Inputs: STATE, `decay` (per parameter), `rate` [1], `scalars` [3] as stepScalars,
 * `keep` [1], the fixed tensors by name and a batch. Outputs: STATE and `loss`.
 */
export function trainingStep (config: SamConfig, layout: Layout): Step {
  return (inputs) => {
    const { value: loss, grad } = tf.valueAndGrad((flat: tf.Tensor) => {
      const { masks, iou } = solve({ ...inputs, ...unpack(layout, flat) }, config, [0, 1, 2, 3])
      return taskLoss(masks, iou, inputs['batch.targets'] as tf.Tensor3D)
    })(inputs['value']!)
    const gradient = clipByNorm(grad, CLIP)
    const { value, first, second } = adamw({
      ...inputs as Required<Record<'value' | 'first' | 'second' | 'rate' | 'decay' | 'scalars', tf.Tensor>>,
      gradient
    })
    const mean = tf.add(value, tf.mul(inputs['keep']!, tf.sub(inputs['mean']!, value)))
    return { loss, value, first, second, mean }
  }
}

/** Logits of map 0, [3B,L,L]; inputs: all tensors of the model by name and a batch. */
export function predictStep (config: SamConfig): Step {
  return (inputs) => {
    const { masks } = solve(inputs, config, [0])
    const [tasks, , rows, columns] = masks.shape
    return { masks: tf.reshape(masks, [tasks, rows, columns]) }
  }
}
