/** Operations that transformers are made of: composites everywhere, single kernels with their own gradients on the onnx engine. */
import * as tf from '@tensorflow/tfjs-core'

type Save = (tensors: tf.Tensor[]) => void

/** x · Φ(x) with the exact normal distribution function; any shape. */
export function gelu (x: tf.Tensor): tf.Tensor {
  if (!hasKernel('Gelu')) return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))
  return tf.customGrad(((input: tf.Tensor, save: Save) => {
    save([input])
    return {
      value: one('Gelu', { x: input }),
      gradFunc: (dy: tf.Tensor, [saved]: [tf.Tensor]) => one('GeluGrad', { dy, x: saved })
    }
  }) as never)(x)
}

/** (x − mean) / √(variance + epsilon) · scale + shift along the last axis of x […, n]; scale and shift [n], biased variance. */
export function layerNorm (x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor, epsilon: number): tf.Tensor {
  if (!hasKernel('LayerNormalization')) return composedNorm(x, scale, shift, epsilon)
  return tf.customGrad(((input: tf.Tensor, factor: tf.Tensor, offset: tf.Tensor, save: Save) => {
    save([input, factor])
    return {
      value: one('LayerNormalization', { x: input, scale: factor, shift: offset }, { epsilon }),
      gradFunc: (dy: tf.Tensor, [saved, weights]: [tf.Tensor, tf.Tensor]) =>
        tf.engine().runKernel('LayerNormalizationGrad', { dy, x: saved, scale: weights }, { epsilon })
    }
  }) as never)(x, scale, shift)
}

function composedNorm (x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor, epsilon: number): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true))
  const variance = tf.mean(tf.square(centred), -1, true)
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), scale), shift)
}

/** Whether the current backend has a kernel of that name. */
export function hasKernel (name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined
}

function one (kernel: string, inputs: tf.NamedTensorMap, attributes: tf.NamedAttrMap = {}): tf.Tensor {
  return tf.engine().runKernel<tf.Tensor>(kernel, inputs, attributes)
}
