import * as tf from '@tensorflow/tfjs-core'
import type { Step, TensorRecord } from '../compute/index.ts'
import { balanceLoss, type Routing } from './blocks/experts.ts'
import { distillationLoss, featureLoss } from './objectives/distillation.ts'
import { supervisedLoss } from './objectives/supervised.ts'
import { unpack, type Layout } from './parameters/layout.ts'
import type { SamConfig } from './sam/build-sam.ts'
import { embedTokens, encoderBlock, neck, runBlocks, type AdapterOptions, type Tokens } from './sam/image-encoder.ts'
import type { Prompts } from './sam/prompt-encoder.ts'
import { promptMasks } from './sam/sam.ts'
import { adamw, clipByNorm } from './train/optimiser.ts'

/** One foreground class uses mask map 0 (docs/spec/sam.md#mask-decoder). */
const MAPS = [0]

/** What all steps of one model share. Inputs named with a leading `@` are not weights. */
export interface StepContext {
  readonly config: SamConfig
  readonly options: AdapterOptions
  /** Γ and Λ as flat vectors. */
  readonly adapter: Layout
  readonly experts: Layout
  readonly firstExpert: number
  /**
   * The first encoder block with LoRA or experts, the depth where there is none; 0 where the encoder has bottlenecks or is trained in
   * full.
   */
  readonly firstAdapted: number
  /** Γ holds the patch embedding too. */
  readonly adaptsEmbedding?: boolean
  readonly clipNorm: number
  readonly tau: number
  readonly beta: number
  /** `logits` if not given. */
  readonly distil?: 'logits' | 'features'
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
  const [coordinates, labels, boxes, mask] = [t['@coordinates'], t['@labels'], t['@boxes'], t['@mask']]
  return {
    ...(coordinates == null ? {} : { points: { coordinates: coordinates as tf.Tensor3D, labels: labels as tf.Tensor2D } }),
    ...(boxes == null ? {} : { boxes: boxes as tf.Tensor2D }),
    ...(mask == null ? {} : { mask: mask as tf.Tensor3D })
  }
}

/** Output of the blocks that nothing adapts: `tokens` [B,G,G,D]. */
export function stemStep (config: SamConfig, blocks: number): Step {
  return (t) => ({ tokens: runBlocks(embedTokens(input(t, 'images') as tf.Tensor4D, t, config), t, config, 0, blocks).x })
}

/**
 * The blocks that nothing adapts, from @images, or already computed as @tokens: what every mode has in common, unless Γ holds the
 * embedding.
 */
function stem (t: TensorRecord, { config, firstAdapted, options }: StepContext): Tokens {
  const { '@tokens': tokens } = t
  if (tokens != null) return { x: tokens as tf.Tensor4D, routing: [] }
  return runBlocks(embedTokens(input(t, 'images') as tf.Tensor4D, t, config), t, config, 0, firstAdapted, options)
}

/** Mask logits [B,1,4G,4G], the embedding [B,G,G,d] they came from, and how tokens were sent. */
interface Answer {
  readonly masks: tf.Tensor
  readonly embedding: tf.Tensor
  readonly routing: readonly Routing[]
}

/** From tokens before block `from` to masks. */
function finish (tokens: Tokens, from: number, record: TensorRecord, { config, options }: StepContext, prompts: Prompts): Answer {
  const { x, routing } = runBlocks(tokens, record, config, from, config.depth, options)
  const embedding = neck(x, record)
  return { masks: promptMasks(record, config, embedding, prompts, { ...options, maps: MAPS }).masks, embedding, routing }
}

/** How far the student is from what the teacher says. */
function apart (teacher: Answer, student: Answer, { distil, tau }: StepContext): tf.Scalar {
  return distil === 'features' ? featureLoss(teacher.embedding, student.embedding) : distillationLoss(teacher.masks, student.masks, tau)
}

/** Logits [B,1,4G,4G] of @images or @tokens: of the base, or with @gamma, or with @gamma and @lambda, as they are fed. */
export function forwardStep (context: StepContext): Step {
  return (t) => {
    const record = merged(t, context, t['@gamma'], t['@lambda'])
    return { logits: finish(stem(record, context), context.firstAdapted, record, context, promptsOf(t)).masks }
  }
}

/** Embedding [B,G,G,d] of @images in the same modes. */
export function encodeStep (context: StepContext): Step {
  return (t) => {
    const record = merged(t, context, t['@gamma'], t['@lambda'])
    const { x } = runBlocks(stem(record, context), record, context.config, context.firstAdapted, context.config.depth, context.options)
    return { embedding: neck(x, record) }
  }
}

/** Logits [P,maps,4G,4G] and IoU estimates [P,4] of @embedding under one prompt each, in the same modes. */
export function decodeStep (context: StepContext, maps: readonly number[]): Step {
  return (t) => {
    const record = merged(t, context, t['@gamma'], t['@lambda'])
    return { ...promptMasks(record, context.config, input(t, 'embedding') as tf.Tensor4D, promptsOf(t), { ...context.options, maps }) }
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

/**
 * One step of phase G on @gamma; with @teacherGamma the global model teaches with weight @weight, with @lambda too the personal one
 * (docs/spec/pfedsam.md#the-round).
 */
export function globalStep (context: StepContext): Step {
  return (t) => {
    const common = context.adaptsEmbedding === true ? undefined : stem(t, context)
    const prompts = promptsOf(t)
    const run = (weights: TensorRecord): Answer => finish(common ?? stem(weights, context), context.firstAdapted, weights, context, prompts)
    const gamma = input(t, 'gamma')
    const { '@lambda': lambda, '@teacherGamma': teacherGamma } = t
    const teacher = teacherGamma == null ? undefined : run(merged(t, context, teacherGamma, lambda))
    const { value, grad } = tf.valueAndGrad((x) => {
      const student = run(merged(t, context, x))
      const supervised = supervisedLoss(student.masks, input(t, 'targets'))
      return teacher == null ? supervised : tf.add(supervised, tf.mul(apart(teacher, student, context), input(t, 'weight')))
    })(gamma)
    return updated(t, gamma, value as tf.Scalar, grad, context.clipNorm)
  }
}

function meanBalance (routing: readonly Routing[]): tf.Scalar {
  return tf.div(tf.addN(routing.map(balanceLoss)), routing.length)
}

/** @noise [blocks, rows, experts], where it is fed, as what the gates read. */
function gateNoises (t: TensorRecord, { experts }: StepContext): TensorRecord {
  const { '@noise': noise } = t
  if (noise == null) return {}
  const gates = experts.entries.flatMap(({ name }) => name.endsWith('.gate.weight') ? [name.replace('.weight', '.noise')] : [])
  const parts = tf.split(noise, gates.length)
  return Object.fromEntries(gates.map((name, i) => [name, tf.reshape(parts[i]!, noise.shape.slice(1))]))
}

/**
 * One step of phase L on @lambda with @gamma fixed; with @weight the global model teaches. Teacher and student share everything up to the
 * first experts, and nothing before those is differentiated.
 */
export function personalStep (context: StepContext): Step {
  const { config, options, firstAdapted, firstExpert } = context
  return (t) => {
    const base = merged(t, context, input(t, 'gamma'))
    const start = runBlocks(stem(base, context), base, config, firstAdapted, firstExpert, options)
    const prompts = promptsOf(t)
    const lambda = input(t, 'lambda')
    const { '@weight': weight } = t
    const { value, grad } = tf.valueAndGrad((y) => {
      const personal = { ...base, ...unpack(context.experts, y), ...gateNoises(t, context) }
      const block = encoderBlock(start.x, personal, config, firstExpert, options)
      const student = finish({ x: block.x, routing: [block.routing!] }, firstExpert + 1, personal, context, prompts)
      const supervised = tf.add(supervisedLoss(student.masks, input(t, 'targets')), tf.mul(meanBalance(student.routing), context.beta))
      if (weight == null) return supervised
      const teacher = finish({ x: block.plain, routing: [] }, firstExpert + 1, base, context, prompts)
      return tf.add(supervised, tf.mul(apart(teacher, student, context), weight))
    })(lambda)
    return updated(t, lambda, value as tf.Scalar, grad, context.clipNorm)
  }
}
