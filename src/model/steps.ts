import type * as tf from '@tensorflow/tfjs-core'
import type { Step, TensorRecord } from '../compute/index.ts'
import type { Routing } from './blocks/experts.ts'
import { mixed } from './blocks/mixup.ts'
import { selected } from './blocks/site-selection.ts'
import { classMaps } from './classes/class-maps.ts'
import type { Division } from './classes/passes.ts'
import { unpack, type Layout } from './parameters/layout.ts'
import type { RelationSizes } from './parameters/relations.ts'
import type { SamConfig } from './sam/build-sam.ts'
import type { AdapterOptions } from './sam/encoder-graph.ts'
import { embedTokens, neck, runBlocks, type Swap, type Tokens } from './sam/image-encoder.ts'
import type { Prompts } from './sam/prompt-encoder.ts'
import { promptMasks } from './sam/sam.ts'

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
  /** How many numbers at the end of what phase G trains are trained by themselves: a discriminator, relations; none if not given. */
  readonly apart?: number
  /** Where phase G trains a site's own core and its relations, in place of Γ. */
  readonly relations?: RelationSizes | undefined
  /** One class if not given: that is map 0, several are maps 1 to 3 of one pass of the decoder or more. */
  readonly division?: Division
}

const ONE: Division = { classes: 1 }

export function input (t: TensorRecord, name: string): tf.Tensor {
  return t[`@${name}`]!
}

/** The base, over it Γ, beside it Λ, as far as they are given. */
export function merged (
  t: TensorRecord,
  { adapter, experts }: StepContext,
  gamma: tf.Tensor | undefined,
  lambda?: tf.Tensor
): TensorRecord {
  return {
    ...t,
    ...(gamma == null ? {} : unpack(adapter, gamma)),
    ...(lambda == null ? {} : unpack(experts, lambda))
  }
}

export function promptsOf (t: TensorRecord): Prompts {
  const [coordinates, labels, boxes, mask] = [t['@coordinates'], t['@labels'], t['@boxes'], t['@mask']]
  return {
    ...(coordinates == null ? {} : { points: { coordinates: coordinates as tf.Tensor3D, labels: labels as tf.Tensor2D } }),
    ...(boxes == null ? {} : { boxes: boxes as tf.Tensor2D }),
    ...(mask == null ? {} : { mask: mask as tf.Tensor3D })
  }
}

/** Output of the blocks that nothing adapts: `tokens` [B,H,H,D]. */
export function frozenFeaturesStep (config: SamConfig, blocks: number): Step {
  return (t) => ({ tokens: runBlocks(embedTokens(input(t, 'images') as tf.Tensor4D, t, config), t, config, 0, blocks).x })
}

/**
 * The blocks that nothing adapts, from @images, or already computed as @tokens: what every mode has in common, unless Γ holds the
 * embedding.
 */
export function frozenTokens (t: TensorRecord, { config, firstAdapted, options }: StepContext): Tokens {
  const { '@tokens': tokens } = t
  if (tokens != null) return { x: tokens as tf.Tensor4D, routing: [] }
  const images = mixed(input(t, 'images') as tf.Tensor4D, t)
  return runBlocks(embedTokens(images, t, config, swapOf(t)), t, config, 0, firstAdapted, options)
}

function swapOf ({ '@swap': matrix, '@donors': donors }: TensorRecord): Swap | undefined {
  return matrix == null ? undefined : { matrix: matrix as tf.Tensor2D, donors: donors as tf.Tensor4D | undefined }
}

/**
 * Mask logits [B,C,4G,4G], the embedding [B,G,G,d] and the features [B,4G,4G,d/8] they came from, that embedding before the site selected
 * channels of it, and how tokens were sent.
 */
export interface StepOutput {
  readonly masks: tf.Tensor
  readonly embedding: tf.Tensor
  readonly unselected: tf.Tensor
  readonly picture: tf.Tensor
  readonly routing: readonly Routing[]
}

/** From tokens before block `from` to the embedding [B,G,G,d]. */
export function embed (tokens: Tokens, from: number, record: TensorRecord, { config, options }: StepContext): tf.Tensor4D {
  return selected(neck(runBlocks(tokens, record, config, from, config.depth, options).x, record), record)
}

/** From tokens before block `from` to masks. */
export function finish (
  tokens: Tokens,
  from: number,
  record: TensorRecord,
  { config, options, division = ONE }: StepContext,
  prompts: Prompts
): StepOutput {
  const { x, routing } = runBlocks(tokens, record, config, from, config.depth, options)
  const unselected = neck(x, record)
  const embedding = selected(unselected, record)
  const { masks, picture } = classMaps(record, config, embedding, { ...options, division, prompts })
  return { masks, picture, embedding, unselected, routing }
}

/** Logits [B,C,4G,4G] of @images or @tokens: of the base, or with @gamma, or with @gamma and @lambda, as they are fed. */
export function forwardStep (context: StepContext): Step {
  return (t) => {
    const record = merged(t, context, t['@gamma'], t['@lambda'])
    return { logits: finish(frozenTokens(record, context), context.firstAdapted, record, context, promptsOf(t)).masks }
  }
}

/** Embedding [B,G,G,d] of @images in the same modes. */
export function encodeStep (context: StepContext): Step {
  return (t) => {
    const record = merged(t, context, t['@gamma'], t['@lambda'])
    return { embedding: embed(frozenTokens(record, context), context.firstAdapted, record, context) }
  }
}

/** Logits [P,maps,4G,4G] and IoU estimates [P,4] of @embedding under one prompt each, in the same modes. */
export function decodeStep (context: StepContext, maps: readonly number[]): Step {
  return (t) => {
    const record = merged(t, context, t['@gamma'], t['@lambda'])
    return { ...promptMasks(record, context.config, input(t, 'embedding') as tf.Tensor4D, promptsOf(t), { ...context.options, maps }) }
  }
}

/** Logits [P,C,4G,4G] and IoU estimates [P,C] of the classes instead of chosen maps. */
export function decodeClassesStep (context: StepContext): Step {
  return (t) => {
    const record = merged(t, context, t['@gamma'], t['@lambda'])
    const { config, options, division = ONE } = context
    const { masks, iou } = classMaps(record, config, input(t, 'embedding') as tf.Tensor4D, { ...options, division, prompts: promptsOf(t) })
    return { masks, iou }
  }
}
