import { z } from 'zod'
import { CODECS } from '../gossip-aggregation/codec.ts'
import { PARTNER_RULES } from '../gossip-aggregation/partner-choice.ts'
import type { MethodSettings } from './method.ts'

/** What nobody means to exceed, so that a slip of the hand does not become a federation. */
export const MOST = {
  nameCharacters: 100,
  /** Pixels. */
  imageSize: 4_096,
  rounds: 100_000,
  /** Random streams take 32 bits of it. */
  seed: 2 ** 32 - 1,
  /** A week. */
  coolDownSeconds: 604_800
} as const

export const count = z.number().int().min(1)
const positive = z.number().positive()
const share = z.number().min(0)

export const model = z.strictObject({
  name: z.string().min(1),
  /** Side of the square that images are fitted into, pixels: a multiple of 16 (docs/spec/sam.md#image-sides). */
  imageSize: count.multipleOf(16).max(MOST.imageSize),
  /** How the base takes pixels (docs/spec/sam.md#pixels); imagenet if absent. */
  pixels: z.enum(['imagenet', 'unit']).optional(),
  /** SHA-256 of the frozen base weights; every site checks its own file against it. */
  baseHash: z.string().regex(/^[0-9a-f]{64}$/),
  lora: z.strictObject({
    blocks: z.array(z.number().int().min(0)).max(64),
    rank: count,
    alpha: positive,
    aggregation: z.enum(['factors', 'ffa', 'product-svd']).optional()
  }),
  /** What of the image encoder is trained; `lora` if absent. */
  encoder: z.enum(['lora', 'bottleneck', 'full']).optional(),
  decoder: z.enum(['frozen', 'lora', 'lora+upscaling', 'lora+mask-head', 'lora+heads', 'full']),
  moe: z.strictObject({
    blocks: z.array(z.number().int().min(0)),
    experts: count,
    topK: count,
    bottleneck: count,
    gate: z.enum(['token', 'image']),
    expert: z.enum(['mlp', 'lora']),
    noise: share.optional()
  })
})

export const training = z.strictObject({
  rounds: count.max(MOST.rounds),
  epochsG: count,
  /** 0 where there are no experts. */
  epochsL: z.number().int().min(0),
  batchSize: count,
  lrLora: positive,
  lrHeads: positive,
  lrMoe: positive,
  weightDecay: share,
  clipNorm: positive,
  warmupSteps: z.number().int().min(0),
  schedule: z.enum(['constant', 'poly']).optional(),
  lambdaG: share,
  lambdaL: share,
  tau: positive,
  beta: share,
  warmupRounds: share,
  teacherG: z.enum(['personal', 'global', 'none']),
  teacherL: z.enum(['global', 'none']),
  distil: z.enum(['logits', 'features']).optional(),
  order: z.enum(['G-exchange-L', 'GL-local']).optional(),
  prompt: z.enum(['none', 'box']),
  augment: z.boolean(),
  /** Same at every site: the adapter that all start from, and the augmentation streams derive from it. */
  seed: z.number().int().min(0).max(MOST.seed)
})

export const averaging = z.strictObject({
  /** How vectors travel; auto begins coarse and goes up when quantisation is what keeps sites apart. */
  codec: z.enum([...CODECS, 'auto']),
  /** How a site chooses whom to ask. */
  partner: z.enum(PARTNER_RULES),
  weighting: z.enum(['images', 'uniform']),
  /** No site counts for more than this many images. */
  maxMass: positive,
  initiationsPerRound: count,
  /** Largest ‖d‖ that one exchange may apply. */
  clipRadius: positive,
  /** Largest ‖x‖ that the release gate lets out. */
  normBound: positive,
  /** Rounds by which two sites may differ and still exchange. */
  staleness: count,
  coolDown: z.strictObject({ distance: positive, seconds: positive.max(MOST.coolDownSeconds) })
})

/** What of a federation decides how its sites train and average. */
export interface FederationSettings {
  readonly model: z.infer<typeof model>
  readonly training: z.infer<typeof training>
  readonly averaging: z.infer<typeof averaging>
  readonly method?: MethodSettings | undefined
}
