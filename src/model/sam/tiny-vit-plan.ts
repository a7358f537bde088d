import { MLP_RATIO, type Stage, type TinyVitConfig } from './build-sam.ts'
import { foldNorms } from './fold-norms.ts'
import { affineShapes, type EncoderPlan, type Shapes } from './plan.ts'

/** Where an attention block is: its stage, from 0, and its place within that. */
export interface Place {
  readonly stage: Stage
  /** Prefix of the stage's tensors. */
  readonly name: string
  readonly index: number
  /** The stage's merge follows. */
  readonly isLast: boolean
}

/** TinyViT: files hold convolutions and batch norms, the graph reads both in one; nothing depends on the image side. */
export function tinyVitPlan (config: TinyVitConfig): EncoderPlan {
  return {
    block: (index) => blockName(placeOf(config, index)),
    tokens: (index) => tokensBefore(config, index),
    stored: encoderShapes(config, normedShapes),
    read: encoderShapes(config, affineShapes),
    prepare: foldNorms
  }
}

/** The place of an attention block, numbered through from 0 to depth − 1. */
export function placeOf ({ stages }: TinyVitConfig, block: number): Place {
  let before = 0
  for (const [s, stage] of stages.entries()) {
    if (block < before + stage.blocks) {
      const index = block - before
      return { stage, name: `image_encoder.layers.${s + 1}`, index, isLast: index === stage.blocks - 1 }
    }
    before += stage.blocks
  }
  throw new RangeError(`there is no block ${block}`)
}

/** Prefix of an attention block's tensors. */
export function blockName ({ name, index }: Place): string {
  return `${name}.blocks.${index}`
}

function tokensBefore (config: TinyVitConfig, block: number): { side: number, dim: number } {
  const { imageSize, stages } = config
  let [side, left] = [imageSize / 2, block]
  for (const { dim, blocks, reduction } of stages) {
    if (left < blocks || reduction == null) return { side, dim }
    left -= blocks
    side /= reduction
  }
  throw new RangeError(`there is no block ${block}`)
}

type Convolution = (prefix: string, ...kernel: number[]) => Shapes

/** A convolution without bias and its batch norm, as they are stored. */
function normedShapes (prefix: string, ...kernel: number[]): Shapes {
  return [
    [`${prefix}.c.weight`, kernel],
    ...['weight', 'bias', 'running_mean', 'running_var'].map((part): Shapes[number] => [`${prefix}.bn.${part}`, [kernel[0]!]])
  ]
}

function encoderShapes ({ stem, stages }: TinyVitConfig, convolution: Convolution): Shapes {
  const prefix = 'image_encoder'
  const { first, dim, hidden, blocks } = stem
  return [
    ...convolution(`${prefix}.patch_embed.seq.0`, first, 3, 1, 1),
    ...convolution(`${prefix}.patch_embed.seq.2`, dim, first, 1, 1),
    ...Array.from({ length: blocks }, (_, i) => [
      ...convolution(`${prefix}.layers.0.blocks.${i}.conv1`, hidden, dim, 1, 1),
      ...convolution(`${prefix}.layers.0.blocks.${i}.conv2`, hidden, 1, 3, 3),
      ...convolution(`${prefix}.layers.0.blocks.${i}.conv3`, dim, hidden, 1, 1)
    ]).flat(),
    ...mergeShapes(`${prefix}.layers.0.downsample`, dim, stages[0]!.dim, convolution),
    ...stages.flatMap((stage, s) => [
      ...Array.from({ length: stage.blocks }, (_, i) => blockShapes(`${prefix}.layers.${s + 1}.blocks.${i}`, stage, convolution)).flat(),
      ...(s + 1 < stages.length
        ? mergeShapes(`${prefix}.layers.${s + 1}.downsample`, stage.dim, stages[s + 1]!.dim, convolution)
        : [])
    ])
  ]
}

function mergeShapes (prefix: string, from: number, to: number, convolution: Convolution): Shapes {
  return [
    ...convolution(`${prefix}.conv1`, to, from, 1, 1),
    ...convolution(`${prefix}.conv2`, to, 1, 3, 3),
    ...convolution(`${prefix}.conv3`, to, to, 1, 1)
  ]
}

function blockShapes (prefix: string, { dim, heads, window }: Stage, convolution: Convolution): Shapes {
  return [
    [`${prefix}.attn.attention_biases`, [heads, window * window]],
    ...affineShapes(`${prefix}.attn.norm`, dim),
    ...affineShapes(`${prefix}.attn.qkv`, 3 * dim, dim),
    ...affineShapes(`${prefix}.attn.proj`, dim, dim),
    ...affineShapes(`${prefix}.mlp.norm`, dim),
    ...affineShapes(`${prefix}.mlp.fc1`, MLP_RATIO * dim, dim),
    ...affineShapes(`${prefix}.mlp.fc2`, dim, MLP_RATIO * dim),
    ...convolution(`${prefix}.local_conv`, dim, 1, 3, 3)
  ]
}
