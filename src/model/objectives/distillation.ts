import * as tf from '@tensorflow/tfjs-core'

/**
 * τ²·mean KL(σ(z_T/τ) ‖ σ(z_S/τ)) per pixel; the teacher is a constant. Zero, with zero gradient, where both agree. Written with its
 * own gradient τ(σ(b) − σ(a))/N, which is exact where the composition would lose digits (docs/spec/pfedsam.md#distillation).
 */
export function distillationLoss (teacher: tf.Tensor, student: tf.Tensor, tau: number): tf.Scalar {
  const loss = tf.customGrad<tf.Scalar>((input, save) => {
    const a = tf.div(teacher, tau)
    const b = tf.div(input as tf.Tensor, tau)
    const target = tf.sigmoid(a)
    const kl = tf.add(tf.sub(tf.softplus(b), tf.softplus(a)), tf.mul(target, tf.sub(a, b)))
    const gradient = tf.sub(tf.sigmoid(b), target);
    (save as tf.GradSaveFunc)([gradient])
    return {
      value: tf.mul<tf.Scalar>(tf.mean(tf.mean(tf.reshape(kl, [kl.shape[0], -1]), 1)), tau * tau),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(tf.mul(saved[0]!, dy), tau / gradient.size)
    }
  })
  return loss(student)
}

/**
 * Mean squared difference of image embeddings; the teacher's must not depend on what is trained. The other choice of
 * docs/spec/pfedsam.md#distillation.
 */
export function featureLoss (teacher: tf.Tensor, student: tf.Tensor): tf.Scalar {
  const squares = tf.squaredDifference(teacher, student)
  return tf.mean(tf.mean(tf.reshape(squares, [squares.shape[0], -1]), 1))
}
