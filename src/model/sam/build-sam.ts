import { InputError } from '../../errors.ts'

/** The numbers that every SAM has (docs/spec/sam.md#configurations). */
interface CommonConfig {
  readonly name: string
  /** Sides of image and of what becomes one token of the embedding, in pixels. */
  readonly imageSize: number
  readonly patch: number
  /** Encoder blocks with attention, and those of them that attend to the whole grid. */
  readonly depth: number
  readonly globalBlocks: readonly number[]
  /** Width of prompts and decoder; widths of the decoder's MLP and of the IoU head. */
  readonly width: number
  readonly decoderMlp: number
  readonly iouHidden: number
}

/** A plain vision transformer as image encoder: the width and heads of all blocks, and the side of attention windows in tokens. */
export interface VitConfig extends CommonConfig {
  readonly encoder: 'vit'
  readonly dim: number
  readonly heads: number
  readonly window: number
}

/** Attention blocks of one width; `reduction` is what the merge after them divides the side by, the last stage has none. */
export interface Stage {
  readonly dim: number
  readonly heads: number
  readonly window: number
  readonly blocks: number
  readonly reduction?: 1 | 2
}

/** TinyViT as image encoder: convolutions, then attention in stages (docs/spec/litemedsam.md#image-encoder). */
export interface TinyVitConfig extends CommonConfig {
  readonly encoder: 'tiny-vit'
  /** Channels of the first convolution, of the convolution blocks, and within these. */
  readonly stem: { readonly first: number, readonly dim: number, readonly hidden: number, readonly blocks: number }
  readonly stages: readonly Stage[]
}

/** Every number that tells one SAM from another; what its encoder is: encoder-plan.ts and image-encoder.ts. */
export type SamConfig = VitConfig | TinyVitConfig

export const MLP_RATIO = 4
export const DECODER_DEPTH = 2
export const DECODER_HEADS = 8
/** Cross-attention works at 1 / this of the decoder's width. */
export const CROSS_DOWNSAMPLE = 2
export const MASK_TOKENS = 4
/** Channels of the mask prompt between its two convolutions. */
export const MASK_CHANNELS = [4, 16] as const
/** The upscaling ends at 1 / this of the decoder's width. */
export const UPSCALE_DOWNSAMPLE = 8
export const ENCODER_EPS = 1e-6
export const DECODER_EPS = 1e-5
export const CHANNEL_EPS = 1e-6

const CONFIGS: readonly SamConfig[] = [
  {
    name: 'golden-128',
    imageSize: 128,
    patch: 16,
    encoder: 'vit',
    dim: 96,
    depth: 4,
    heads: 3,
    globalBlocks: [2],
    window: 7,
    width: 64,
    decoderMlp: 128,
    iouHidden: 48
  },
  {
    name: 'sam-tiny',
    imageSize: 128,
    patch: 16,
    encoder: 'vit',
    dim: 128,
    depth: 4,
    heads: 4,
    globalBlocks: [1, 3],
    window: 8,
    width: 128,
    decoderMlp: 512,
    iouHidden: 128
  },
  {
    name: 'vit-b',
    imageSize: 1024,
    patch: 16,
    encoder: 'vit',
    dim: 768,
    depth: 12,
    heads: 12,
    globalBlocks: [2, 5, 8, 11],
    window: 14,
    width: 256,
    decoderMlp: 2048,
    iouHidden: 256
  },
  {
    name: 'vit-l',
    imageSize: 1024,
    patch: 16,
    encoder: 'vit',
    dim: 1024,
    depth: 24,
    heads: 16,
    globalBlocks: [5, 11, 17, 23],
    window: 14,
    width: 256,
    decoderMlp: 2048,
    iouHidden: 256
  },
  {
    name: 'vit-h',
    imageSize: 1024,
    patch: 16,
    encoder: 'vit',
    dim: 1280,
    depth: 32,
    heads: 16,
    globalBlocks: [7, 15, 23, 31],
    window: 14,
    width: 256,
    decoderMlp: 2048,
    iouHidden: 256
  },
  {
    name: 'litemedsam',
    imageSize: 256,
    patch: 4,
    encoder: 'tiny-vit',
    depth: 10,
    globalBlocks: [],
    stem: { first: 32, dim: 64, hidden: 256, blocks: 2 },
    stages: [
      { dim: 128, heads: 4, window: 7, blocks: 2, reduction: 2 },
      { dim: 160, heads: 5, window: 14, blocks: 6, reduction: 1 },
      { dim: 320, heads: 10, window: 7, blocks: 2 }
    ],
    width: 256,
    decoderMlp: 2048,
    iouHidden: 256
  }
]

/** Names of the models that are built in. */
export const MODEL_NAMES = CONFIGS.map(({ name }) => name)

/** Those that a user may choose: golden-128 exists for tests against the reference. */
export const MODEL_CHOICES = MODEL_NAMES.filter((name) => name !== 'golden-128')

/** The configuration of a named model. @throws InputError for a name that is not built in. */
export function samConfig (name: string): SamConfig {
  const config = CONFIGS.find((each) => each.name === name)
  if (config == null) throw new InputError(`there is no model named ${name}: use ${MODEL_CHOICES.join(', ')}`)
  return config
}

/** The same model for another image side, a multiple of the patch; its tables must be resized (docs/spec/sam.md#image-sides). */
export function withImageSize (config: SamConfig, imageSize: number): SamConfig {
  if (!(imageSize > 0 && imageSize % config.patch === 0)) {
    throw new InputError(`the image side ${imageSize} is not a multiple of the patch side ${config.patch} of ${config.name}`)
  }
  return { ...config, imageSize }
}

/** Tokens along one side of the image. */
export function gridSide (config: SamConfig): number {
  return config.imageSize / config.patch
}

/** Side of the low-resolution masks. */
export function lowResSide (config: SamConfig): number {
  return 4 * gridSide(config)
}
