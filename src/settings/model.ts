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

/** What of the mask decoder belongs to Γ (docs/spec/pfedsam.md#shared-parameters). */
export type DecoderMode = 'frozen' | 'lora' | 'lora+upscaling' | 'lora+mask-head' | 'lora+heads' | 'full'

/**
 * What of the encoder belongs to Γ: low-rank updates, a bottleneck after attention and beside the MLP of every block, or all of it
 * (docs/spec/pfedsam.md#baselines).
 */
type EncoderMode = 'lora' | 'bottleneck' | 'full'

/**
 * What of a low-rank update travels: both factors; B alone, with A as the seed makes it; or their product, out of which every site
 * takes the best factors (docs/spec/pfedsam.md#lora-aggregation).
 */
export type LoraAggregation = 'factors' | 'ffa' | 'product-svd'

export interface ModelSettings {
  /** How the base takes pixels: `imagenet` if not given. */
  readonly pixels?: 'imagenet' | 'unit' | undefined
  /** Encoder blocks (from 0) whose q and v get a low-rank update, its rank, and alpha: the update's scale is alpha / rank. */
  readonly lora: {
    readonly blocks: number[],
    readonly rank: number,
    readonly alpha: number,
    readonly aggregation?: LoraAggregation | undefined
  }
  readonly decoder: DecoderMode
  /** `lora` if not given; `lora.blocks` counts only then. */
  readonly encoder?: EncoderMode | undefined
  readonly moe: {
    /** Encoder blocks with experts (from 0), experts per block, experts used per token, width of one expert. */
    readonly blocks: number[]
    readonly experts: number
    readonly topK: number
    readonly bottleneck: number
    /** One choice of experts per token, or one per image. */
    readonly gate: 'token' | 'image'
    /** A bottleneck with GELU and biases, or a plain low-rank pair (docs/spec/pfedsam.md#private-experts). */
    readonly expert: 'mlp' | 'lora'
    /**
     * Deviation of Gaussian noise on the gates' logits while experts are trained; none if not given
     * (docs/spec/pfedsam.md#private-experts).
     */
    readonly noise?: number | undefined
  }
}

export interface TrainSettings {
  /** Epochs of phase G and of phase L in one round. */
  readonly epochsG: number
  readonly epochsL: number
  readonly batchSize: number
  readonly lrLora: number
  readonly lrHeads: number
  readonly lrMoe: number
  readonly weightDecay: number
  readonly clipNorm: number
  /** Steps of linear warm-up, counted over all rounds. */
  readonly warmupSteps: number
  /** Learning rates from round to round: constant if not given, or falling towards 0 at the end (docs/spec/pfedsam.md#optimiser). */
  readonly schedule?: 'constant' | 'poly' | undefined
  /** Weights of distillation in phases G and L, its temperature, and the weight of the balance loss. */
  readonly lambdaG: number
  readonly lambdaL: number
  readonly tau: number
  readonly beta: number
  /** Rounds over which lambdaG rises linearly from 0. */
  readonly warmupRounds: number
  /** Who teaches in phase G and in phase L (docs/spec/pfedsam.md#teachers). */
  readonly teacherG: 'personal' | 'global' | 'none'
  readonly teacherL: 'global' | 'none'
  /** What student and teacher are compared by: mask logits if not given, or the image embedding (docs/spec/pfedsam.md#distillation). */
  readonly distil?: 'logits' | 'features' | undefined
  /** Exchange between the phases if not given; `GL-local` fits experts before it, to the site's own Γ (docs/spec/pfedsam.md#order). */
  readonly order?: 'G-exchange-L' | 'GL-local' | undefined
  /** What training and scoring give the decoder: nothing, or a box around the mask, jittered by up to 5 % of its sides in training. */
  readonly prompt: 'none' | 'box'
  /** Flips, turns and intensity changes; without them the features of frozen blocks are computed once per training image. */
  readonly augment: boolean
}

/**
 * Where LoRA and experts sit by default. Large models: docs/spec/pfedsam.md#default-values, experts beside the blocks that attend
 * globally; the small one, and the decoder of both: docs/evidence.md.
 */
export function defaultModelSettings ({ name, depth, globalBlocks }: Omit<Architecture, 'imageSize'>): ModelSettings {
  const blocks = Array.from({ length: depth }, (_, block) => block)
  return {
    lora: { blocks, rank: 4, alpha: 4 },
    decoder: 'lora+upscaling',
    moe: { blocks: name.startsWith('vit-') ? [...globalBlocks] : blocks, experts: 4, topK: 2, bottleneck: 16, gate: 'token', expert: 'mlp' }
  }
}

/**
 * Image side by default: 448 for the large models, a grid of 28 = 2 windows of 14, so that no token is padding; a step takes a
 * fifteenth of one at 1,024 (docs/models/sam.md).
 */
export function defaultImageSize ({ name, imageSize }: Pick<Architecture, 'name' | 'imageSize'>): number {
  return name.startsWith('vit-') ? 448 : imageSize
}

/**
 * What the columns of docs/spec/pfedsam.md#default-values have in common; batches, and the small model's rates, schedule and lambdaG,
 * by docs/evidence.md.
 */
const TRAINING: TrainSettings = {
  epochsG: 1,
  epochsL: 1,
  batchSize: 2,
  lrLora: 2e-2,
  lrHeads: 2e-2,
  lrMoe: 1e-2,
  weightDecay: 0.01,
  clipNorm: 1,
  warmupSteps: 20,
  schedule: 'poly',
  lambdaG: 0.1,
  lambdaL: 0.1,
  tau: 2,
  beta: 0.01,
  warmupRounds: 2,
  teacherG: 'personal',
  teacherL: 'global',
  prompt: 'none',
  augment: true
}

/**
 * The large models' column differs: published fine-tunes of SAM use lower rates, above all for the pretrained heads; lambdaG and its
 * warm-up: docs/spec/pfedsam.md#default-values.
 */
const LARGE: Partial<TrainSettings> = { lrLora: 1e-3, lrHeads: 1e-4, lrMoe: 1e-3, lambdaG: 0.5, warmupRounds: 5 }

export function defaultTrainSettings ({ name }: Pick<Architecture, 'name'>): TrainSettings {
  return name.startsWith('vit-') ? { ...TRAINING, ...LARGE } : TRAINING
}
