import * as tf from '@tensorflow/tfjs-core'
import type { Step, TensorRecord } from '../../compute/index.ts'
import type { Pretraining } from '../../settings/pretraining.ts'
import { predicted, representation } from '../blocks/projection.ts'
import { infoNce, unit } from '../objectives/contrast.ts'
import { byolLoss, startLoss } from '../objectives/looks.ts'
import { embed, frozenTokens, input, merged, type StepContext } from '../steps.ts'
import { clipByNorm } from './optimiser.ts'
import { updated } from './phase-step.ts'

interface Compared {
  readonly value: tf.Scalar
  readonly grad: tf.Tensor
  /** Unit vectors of the first look [B,64], and of both looks as @target sees them [2B,64]. */
  readonly z: tf.Tensor
  readonly keys: tf.Tensor
}

/**
 * One optimiser step of a label-free round: @images [2B,S,S,3] are two looks at B images, @target is Γ's moving mean, @start the common
 * start, @queue [k,64] earlier looks, of which each look counts those that @counted [2B,k] marks. Beside what an optimiser step resolves
 * to, `z` [B,64] and `keys` [2B,64] (docs/spec/label-free.md).
 */
export function labelFreeStep (context: StepContext, settings: Pretraining): Step {
  return (t) => {
    const { value, grad, z, keys } = compared(t, context, settings)
    return { ...updated(t, input(t, 'gamma'), clipByNorm(grad, context.clipNorm)), loss: tf.reshape(value, [1]), z, keys }
  }
}

/** Loss and flat gradient of the same, for rounds that are private to each patient. */
export function labelFreeGradient (context: StepContext, settings: Pretraining): Step {
  return (t) => {
    const { value, grad } = compared(t, context, settings)
    return { gradient: grad, loss: tf.reshape(value, [1]) }
  }
}

function compared (t: TensorRecord, context: StepContext, { objective, temperature, align }: Pretraining): Compared {
  const common = context.adaptsEmbedding === true ? undefined : frozenTokens(t, context)
  const seen = (gamma: tf.Tensor): { z: tf.Tensor, weights: TensorRecord } => {
    const weights = merged(t, context, gamma)
    const tokens = common ?? frozenTokens(weights, context)
    return { z: representation(embed(tokens, context.firstAdapted, weights, context), weights), weights }
  }
  const target = seen(input(t, 'target')).z
  const [one, other] = tf.split(target, 2) as [tf.Tensor, tf.Tensor]
  const opposite = tf.concat([other, one])
  const start = align === 0 ? undefined : seen(input(t, 'start')).z
  let first: tf.Tensor | undefined
  const { value, grad } = tf.valueAndGrad((gamma) => {
    const { z, weights } = seen(gamma)
    // Kept, since all else that is computed on the way to a gradient is disposed of with it.
    first = tf.keep(unit(tf.split(z, 2)[0]!))
    const agreement = objective === 'byol'
      // Both orders are summed: the mean over all looks is half of it.
      ? tf.mul<tf.Scalar>(byolLoss(predicted(z, weights), opposite), 2)
      : infoNce({ vectors: z, positives: opposite, negatives: input(t, 'queue'), counted: input(t, 'counted') }, temperature)
    return start == null ? agreement : tf.add<tf.Scalar>(agreement, tf.mul(startLoss(z, start), align))
  })(input(t, 'gamma'))
  return { value, grad, z: first!, keys: unit(target) }
}
