import { z } from 'zod'
import { baseKind, count, defaultOf, defaultsOf, notNegative, positive, setting } from './setting.ts'

/** What the defaults look at of an architecture. */
export interface Architecture {
  readonly name: string
  readonly depth: number
  /** Blocks that attend globally, from 0. */
  readonly globalBlocks: readonly number[]
  /** Side of the images that the base was trained with, pixels. */
  readonly imageSize: number
}

/** `frozen`: the base alone; `global`: with the shared adapter Γ; `personal`: with Γ and this site's experts Λ. */
export type Mode = 'frozen' | 'global' | 'personal'

const MOST_IMAGE_SIZE = 4_096
/** More than any 16-bit or Hounsfield value. */
const MOST_VALUE = 1e6
const WINDOW_ERROR = 'must be "auto", { "centre": 40, "width": 400 } or { "percentiles": [0.5, 99.5] }, or a list of them'
/** Planes of SAM's input. */
const PLANES = 3
/** nnU-Net's suffix has four digits. */
const MOST_CHANNEL = 9_999
const CHANNELS_ERROR = `must be a list of one to three channels, whole numbers from 0 to ${MOST_CHANNEL}, as [0, 1]`

const block = z.number().int().min(0)

const lora = z.strictObject({
  blocks: setting(z.array(block).max(64), 'Encoder blocks, from 0, whose q and v get a low-rank update', {
    otherwise: 'every block',
    medical: [8, 9]
  }),
  rank: setting(count, 'Rank of the low-rank updates', { default: 4 }),
  alpha: setting(positive, 'Low-rank updates are scaled by this over their rank', { default: 4 }),
  aggregation: setting(
    z.enum(['factors', 'ffa', 'product-svd']).optional(),
    'What of a low-rank update travels: both factors; B alone, with A as the seed makes it; or their product',
    { otherwise: 'factors' }
  )
})

const moe = z.strictObject({
  blocks: setting(z.array(block), 'Encoder blocks, from 0, with private experts', {
    otherwise: 'sam-tiny: every block; vit-*: those that attend globally',
    medical: [8, 9]
  }),
  experts: setting(count, 'Experts in each of these blocks', { default: 4 }),
  topK: setting(count, 'Experts that are used per token or image', { default: 2 }),
  bottleneck: setting(count, 'Width of one expert', { default: 16 }),
  gate: setting(z.enum(['token', 'image']), 'Whether experts are chosen per token or per image', { default: 'token' }),
  expert: setting(z.enum(['mlp', 'lora']), 'What an expert is: a bottleneck with GELU and biases, or a plain low-rank pair', {
    default: 'mlp'
  }),
  noise: setting(notNegative.optional(), "Deviation of Gaussian noise on the gates' logits while experts are trained", { otherwise: '0' })
})

const percent = z.number().min(0).max(100)

/** How volumes and 16-bit pictures become grey levels; 8-bit pictures stay as they are. */
const oneWindow = [
  z.literal('auto'),
  z.strictObject({ centre: z.number().min(-MOST_VALUE).max(MOST_VALUE), width: positive.max(MOST_VALUE) }),
  z.strictObject({ percentiles: z.tuple([percent, percent]).refine(([low, high]) => low < high) })
] as const
const window = z.union([...oneWindow, z.array(z.union(oneWindow)).min(1).max(PLANES)], { error: WINDOW_ERROR })

const channel = z.number({ error: CHANNELS_ERROR }).int({ error: CHANNELS_ERROR }).min(0, { error: CHANNELS_ERROR })
  .max(MOST_CHANNEL, { error: CHANNELS_ERROR })

/** What is trained of which base; where LoRA and experts sit by default: docs/spec/pfedsam.md#default-values and docs/evidence.md. */
export const model = z.strictObject({
  name: setting(z.string().min(1), 'Architecture of the base model', { otherwise: 'that of the base model, `federation create --model`' }),
  imageSize: setting(count.multipleOf(16).max(MOST_IMAGE_SIZE), 'Side of the square that images are fitted into', {
    unit: 'pixels',
    large: 448,
    otherwise: 'that of the base: 128 for sam-tiny, 256 for litemedsam'
  }),
  pixels: setting(
    z.enum(['imagenet', 'unit', 'minmax']).optional(),
    "How the base takes pixels: by SAM's mean and deviation, as 0..1, or each image's darkest as 0 and its brightest as 1",
    { otherwise: 'imagenet', medical: 'minmax' }
  ),
  channels: setting(
    z.array(channel, { error: CHANNELS_ERROR }).min(1, { error: CHANNELS_ERROR }).max(PLANES, { error: CHANNELS_ERROR }).optional(),
    "Which channel of a case fills plane 1, 2 and 3 of the model's input, from 0 as in `NAME_0000`, a fourth dimension or red, green and " +
      'blue; of fewer than three the last fills the planes that are left',
    { otherwise: 'channel 0 in all three, and colour pictures in their colours' }
  ),
  window: setting(
    window.optional(),
    'How volumes and 16-bit pictures are shown: one window, in the units of the values, or two percentiles of each image; auto: CT by ' +
      '-160 to 240 HU where the data set, a file beside the volume or its Hounsfield units say so, all else by percentiles 0.5 and 99.5; ' +
      'or a list of these, one for each of `model.channels`',
    { default: 'auto', otherwise: 'where a document does not say it, as 0.2.0 did: CT by any values below -500' }
  ),
  baseHash: setting(
    z.string().regex(/^[0-9a-f]{64}$/),
    'SHA-256 of the frozen base weights, against which every site checks its own file',
    { otherwise: 'that of the base model, `federation create --model`' }
  ),
  lora,
  encoder: setting(
    z.enum(['lora', 'bottleneck', 'full']).optional(),
    'What of the image encoder is trained: low-rank updates, a bottleneck after attention and beside the MLP of every block, or all',
    { otherwise: 'lora; `lora.blocks` counts only then' }
  ),
  decoder: setting(
    z.enum(['frozen', 'lora', 'lora+upscaling', 'lora+mask-head', 'lora+heads', 'full']),
    'What of the mask decoder is trained',
    { default: 'lora+upscaling' }
  ),
  moe
})

type ModelSection = Readonly<z.infer<typeof model>>

/** What of the mask decoder belongs to Γ (docs/spec/pfedsam.md#shared-parameters). */
export type DecoderMode = ModelSection['decoder']

/** What of a low-rank update travels; of a product every site takes the best factors (docs/spec/pfedsam.md#lora-aggregation). */
export type LoraAggregation = NonNullable<ModelSection['lora']['aggregation']>

/** `model.window` of a document that says it. */
export type WindowSetting = NonNullable<ModelSection['window']>

/** One of a list of windows, or the only one. */
export type OneWindow = Exclude<WindowSetting, readonly unknown[]>

/** What the settings of images cannot say each for itself; undefined where they fit together. */
export function conflictInModel ({ channels, window: given }: Pick<ModelSection, 'channels' | 'window'>): string | undefined {
  if (!Array.isArray(given) || given.length === channels?.length) return undefined
  return `model.window: it lists ${given.length}, one for each of model.channels, which ${
    channels == null ? 'is not there' : `has ${channels.length}`}`
}

export type ModelSettings = Omit<ModelSection, 'name' | 'imageSize' | 'baseHash'>

export function defaultModelSettings ({ name, depth, globalBlocks }: Omit<Architecture, 'imageSize'>): ModelSettings {
  const blocks = Array.from({ length: depth }, (_, each) => each)
  const kind = baseKind(name)
  const { pixels } = defaultsOf(model.pick({ pixels: true }), kind)
  return {
    lora: lora.parse({ blocks, ...defaultsOf(lora, kind) }),
    decoder: defaultOf(model.shape.decoder),
    moe: moe.parse({ blocks: kind === 'large' ? globalBlocks : blocks, ...defaultsOf(moe, kind) }),
    ...(pixels == null ? {} : { pixels: model.shape.pixels.parse(pixels) })
  }
}

/**
 * Image side by default: 448 for the large models, a grid of 28 = 2 windows of 14, so that no token is padding; a step takes a
 * fifteenth of one at 1,024 (docs/models/sam.md).
 */
export function defaultImageSize ({ name, imageSize }: Pick<Architecture, 'name' | 'imageSize'>): number {
  return baseKind(name) === 'large' ? defaultOf(model.shape.imageSize, 'large') : imageSize
}
