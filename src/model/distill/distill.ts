import * as tf from '@tensorflow/tfjs-core'

/**
 * τ²·mean KL(σ(z_T/τ) ‖ σ(z_S/τ)) per pixel; the teacher is a constant. Zero, with zero gradient, where both agree. Written with its
 * own gradient τ(σ(b) − σ(a))/N, which is exact where the composition would lose digits (SAM_SPEC §3.3).
 */
export function distillationLoss (teacher: tf.Tensor, student: tf.Tensor, tau: number): tf.Scalar {
  const a = tf.div(teacher, tau)
  const loss = tf.customGrad((input, save) => {
    const b = tf.div(input as tf.Tensor, tau)
    const target = tf.sigmoid(a)
    const kl = tf.add(tf.sub(tf.softplus(b), tf.softplus(a)), tf.mul(target, tf.sub(a, b)));
    (save as tf.GradSaveFunc)([b])
    const rows = tf.reshape(kl, [kl.shape[0]!, -1])
    return {
      value: tf.mul(tf.mean(tf.mean(rows, 1)), tau * tau),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(tf.mul(tf.sub(tf.sigmoid(saved[0]!), tf.sigmoid(a)), dy), tau / b.size)
    }
  })
  return loss(student) as tf.Scalar
}
