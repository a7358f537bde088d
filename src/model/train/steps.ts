import * as tf from '@tensorflow/tfjs-core'
import type { Step, TensorRecord } from '../../compute/index.ts'
import { distillationLoss } from '../distill/distill.ts'
import { balanceLoss, type Routing } from '../moe/lmoe.ts'
import type { SamConfig } from '../sam/build-sam.ts'
import { embedTokens, encoderBlock, neck, runBlocks, type AdapterOptions, type Tokens } from '../sam/image-encoder.ts'
import type { Prompts } from '../sam/prompt-encoder.ts'
import { promptMasks, samForward } from '../sam/sam.ts'
import { adamw, clipByNorm } from './optimiser.ts'
import { unpack, type Layout } from './flat.ts'
import { supervisedLoss } from './losses.ts'

/** One foreground class uses mask map 0 (SAM_SPEC §3.2). */
const MAPS = [0]

/** What all steps of one model share. Inputs named with a leading `@` are not weights. */
export interface StepContext {
  readonly config: SamConfig
  readonly options: AdapterOptions
  /** Γ and Λ as flat vectors. */
  readonly adapter: Layout
  readonly experts: Layout
  readonly firstExpert: number
  readonly clipNorm: number
  readonly tau: number
  readonly beta: number
}

function input (t: TensorRecord, name: string): tf.Tensor {
  return t[`@${name}`]!
}

/** The base, over it Γ, beside it Λ, as far as they are given. */
function merged (t: TensorRecord, { adapter, experts }: StepContext, gamma: tf.Tensor | undefined, lambda?: tf.Tensor): TensorRecord {
  return {
    ...t,
    ...(gamma == null ? {} : unpack(adapter, gamma)),
    ...(lambda == null ? {} : unpack(experts, lambda))
  }
}

function promptsOf (t: TensorRecord): Prompts {
  const [coordinates, labels, boxes] = [t['@coordinates'], t['@labels'], t['@boxes']]
  return {
    ...(coordinates == null ? {} : { points: { coordinates: coordinates as tf.Tensor3D, labels: labels as tf.Tensor2D } }),
    ...(boxes == null ? {} : { boxes: boxes as tf.Tensor2D })
  }
}

/** Logits [B,1,4G,4G] of @images: of the base, or with @gamma, or with @gamma and @lambda, as they are fed. */
export function forwardStep (context: StepContext): Step {
  return (t) => {
    const { masks } = samForward(merged(t, context, t['@gamma'], t['@lambda']), context.config, input(t, 'images') as tf.Tensor4D, promptsOf(t), { ...context.options, maps: MAPS })
    return { logits: masks }
  }
}

/** Clips, updates and names the results of one optimiser step on the flat vector `value`. */
function updated (t: TensorRecord, value: tf.Tensor, loss: tf.Scalar, gradient: tf.Tensor, clipNorm: number): TensorRecord {
  const next = adamw({
    value,
    gradient: clipByNorm(gradient, clipNorm),
    first: input(t, 'first'),
    second: input(t, 'second'),
    rate: input(t, 'rate'),
    decay: input(t, 'decay'),
    scalars: input(t, 'scalars')
  })
  return { ...next, loss: tf.reshape(loss, [1]) }
}

/** One step of phase G on @gamma; with @teacherGamma and @lambda the personal model teaches with weight @weight (SAM_SPEC §3.4). */
export function globalStep (context: StepContext): Step {
  return (t) => {
    const images = input(t, 'images') as tf.Tensor4D
    const run = (weights: TensorRecord): tf.Tensor => samForward(weights, context.config, images, {}, { ...context.options, maps: MAPS }).masks
    const gamma = input(t, 'gamma')
    const { '@lambda': lambda, '@teacherGamma': teacherGamma } = t
    const teacher = teacherGamma == null ? undefined : run(merged(t, context, teacherGamma, lambda))
    const { value, grad } = tf.valueAndGrad((x) => {
      const z = run(merged(t, context, x))
      const supervised = supervisedLoss(z, input(t, 'targets'))
      return teacher == null ? supervised : tf.add(supervised, tf.mul(distillationLoss(teacher, z, context.tau), input(t, 'weight')))
    })(gamma)
    return updated(t, gamma, value as tf.Scalar, grad, context.clipNorm)
  }
}

function meanBalance (routing: readonly Routing[]): tf.Scalar {
  return tf.div(tf.addN(routing.map(balanceLoss)), routing.length)
}

/**
 * One step of phase L on @lambda with @gamma fixed; the global model teaches. Teacher and student share everything up to the
 * first experts, and nothing before those is differentiated.
 */
export function personalStep (context: StepContext): Step {
  const { config, options, firstExpert } = context
  return (t) => {
    const base = merged(t, context, input(t, 'gamma'))
    const stem = runBlocks(embedTokens(input(t, 'images') as tf.Tensor4D, base, config), base, config, 0, firstExpert, options)
    const finish = (tokens: Tokens, record: TensorRecord): { masks: tf.Tensor, routing: readonly Routing[] } => {
      const { x, routing } = runBlocks(tokens, record, config, firstExpert + 1, config.depth, options)
      return { masks: promptMasks(record, config, neck(x, record), {}, { ...options, maps: MAPS }).masks, routing }
    }
    const lambda = input(t, 'lambda')
    const { value, grad } = tf.valueAndGrad((y) => {
      const personal = { ...base, ...unpack(context.experts, y) }
      const block = encoderBlock(stem.x, personal, config, firstExpert, options)
      const teacher = finish({ x: block.plain, routing: [] }, base).masks
      const { masks, routing } = finish({ x: block.x, routing: [block.routing!] }, personal)
      const supervised = supervisedLoss(masks, input(t, 'targets'))
      const distilled = tf.mul(distillationLoss(teacher, masks, context.tau), input(t, 'weight'))
      return tf.add(tf.add(supervised, distilled), tf.mul(meanBalance(routing), context.beta))
    })(lambda)
    return updated(t, lambda, value as tf.Scalar, grad, context.clipNorm)
  }
}
