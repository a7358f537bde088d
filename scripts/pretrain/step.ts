import * as tf from '@tensorflow/tfjs-core'
import { lowResSide, type SamConfig } from '../../src/model/sam/build-sam.ts'
import { encodeImage } from '../../src/model/sam/image-encoder.ts'
import { decodeMasks } from '../../src/model/sam/mask-decoder.ts'
import { densePositions, encodeDense, encodeSparse, LABEL } from '../../src/model/sam/prompt-encoder.ts'
import { taskLoss } from './loss.ts'
import type { HostRecord, Step, TensorRecord } from '../../src/compute/index.ts'
import type { TaskBatch } from './batch.ts'

/** A batch as inputs of the steps below; their names cannot be a tensor's of the model. */
export function batchInputs ({ images, points, boxes, targets }: TaskBatch, config: SamConfig): HostRecord {
  const { imageSize } = config
  const side = lowResSide(config)
  const count = images.length / (3 * imageSize ** 2)
  return {
    'batch/images': { shape: [count, imageSize, imageSize, 3], data: images },
    'batch/points': { shape: [count, 1, 2], data: points },
    'batch/boxes': { shape: [count, 4], data: boxes },
    'batch/targets': { shape: [3 * count, side, side], data: targets }
  }
}

/** All three tasks of a batch in the order of PROMPTS: one pass of the encoder, masks [3B,4,L,L] and iou [3B,4]. */
function solve (weights: TensorRecord, config: SamConfig): { masks: tf.Tensor4D, iou: tf.Tensor2D } {
  const { embedding } = encodeImage(weights, config, weights['batch/images'] as tf.Tensor4D)
  const count = embedding.shape[0]
  const common = { positions: densePositions(weights, config), dense: encodeDense(weights, {}) }
  const points = { coordinates: weights['batch/points'] as tf.Tensor3D, labels: tf.fill<tf.Rank.R2>([count, 1], LABEL.foreground) }
  const boxes = weights['batch/boxes'] as tf.Tensor2D
  const sparse = tf.concat([encodeSparse(weights, config, { points })!, encodeSparse(weights, config, { boxes })!], 0)
  const twice = tf.concat([embedding, embedding], 0)
  const free = decodeMasks(weights, { ...common, embedding, sparse: undefined })
  const prompted = decodeMasks(weights, { ...common, embedding: twice, sparse })
  return { masks: tf.concat([free.masks, prompted.masks], 0), iou: tf.concat([free.iou, prompted.iou], 0) }
}

/** The step that gives `loss` and the gradient of every tensor in `trained`, under the tensor's name. */
export function gradientStep (config: SamConfig, trained: readonly string[]): Step {
  return (inputs) => {
    const { value, grads } = tf.valueAndGrads((...parameters: tf.Tensor[]) => {
      const weights = { ...inputs, ...Object.fromEntries(trained.map((name, i) => [name, parameters[i]!])) }
      const { masks, iou } = solve(weights, config)
      return taskLoss(masks, iou, inputs['batch/targets'] as tf.Tensor3D)
    })(trained.map((name) => inputs[name]!))
    return { loss: value, ...Object.fromEntries(trained.map((name, i) => [name, grads[i]!])) }
  }
}

/** The step that gives the logits of map 0, [3B,L,L]. */
export function predictStep (config: SamConfig): Step {
  return (inputs) => {
    const { masks } = solve(inputs, config)
    const [tasks, , rows, columns] = masks.shape
    return { masks: tf.reshape(tf.slice(masks, [0, 0, 0, 0], [tasks, 1, rows, columns]), [tasks, rows, columns]) }
  }
}
