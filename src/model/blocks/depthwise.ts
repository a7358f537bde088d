import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import { weight } from './common.ts'

type Save = (tensors: tf.Tensor[]) => void
/** Zeros on all four sides, as a padding of 1 has them: TensorFlow's `same` has them at the bottom and right alone for a stride of 2. */
const AROUND: [[number, number], [number, number], [number, number], [number, number]] = [[0, 0], [1, 1], [1, 1], [0, 0]]

/**
 * 3×3 convolution of every channel on its own plus bias, x [B,H,W,C] with H and W even where the stride is 2: `prefix.weight` [C,1,3,3],
 * `prefix.bias` [C].
 */
export function depthwise (x: tf.Tensor4D, weights: TensorRecord, prefix: string, stride: 1 | 2 = 1): tf.Tensor4D {
  const kernel = tf.transpose<tf.Tensor4D>(weight(weights, `${prefix}.weight`) as tf.Tensor4D, [2, 3, 0, 1])
  return convolve(x, kernel, weight(weights, `${prefix}.bias`) as tf.Tensor1D, stride)
}

/** With gradients made of forward convolutions and sums: no engine lacks them. */
function convolve (input: tf.Tensor4D, kernel: tf.Tensor4D, shift: tf.Tensor1D, stride: 1 | 2): tf.Tensor4D {
  return tf.customGrad<tf.Tensor4D>(((x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor1D, save: Save) => {
    save([x, filter])
    return {
      value: tf.fused.depthwiseConv2d({ x, filter, strides: stride, pad: 1, bias }),
      gradFunc: (dy: tf.Tensor4D, [savedX, savedFilter]: [tf.Tensor4D, tf.Tensor4D]) => {
        const wide = stride === 1 ? dy : spread(dy)
        return [
          tf.depthwiseConv2d(wide, tf.reverse(savedFilter, [0, 1]), 1, 1),
          filterGradient(savedX, wide),
          tf.sum(dy, [0, 1, 2])
        ]
      }
    }
  }) as never)(input, kernel, shift)
}

/** Each pixel at the top left of a 2×2 square of zeros. */
function spread (dy: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width, channels] = dy.shape
  const cells = tf.pad(tf.reshape(dy, [batch * height, 1, width, 1, channels]), [[0, 0], [0, 1], [0, 0], [0, 1], [0, 0]])
  return tf.reshape(cells, [batch, 2 * height, 2 * width, channels])
}

/** [3,3,C,1]: what each of the nine shifted copies of x has in common with dy. */
function filterGradient (x: tf.Tensor4D, dy: tf.Tensor4D): tf.Tensor4D {
  const padded = tf.pad(x, AROUND)
  const sums = Array.from({ length: 9 }, (_, i) =>
    tf.sum(tf.mul(tf.slice(padded, [0, Math.floor(i / 3), i % 3, 0], x.shape), dy), [0, 1, 2]))
  return tf.reshape(tf.stack(sums), [3, 3, x.shape[3], 1])
}
