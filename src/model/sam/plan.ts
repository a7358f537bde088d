import type { NamedTensor } from '../../adapter/safetensors.ts'
import type { SamConfig } from './build-sam.ts'

/** Names and shapes of tensors. */
export type Shapes = readonly (readonly [name: string, shape: readonly number[]])[]

/** Tensors on the host, by name. */
type Tensors = Readonly<Record<string, NamedTensor>>

/** What the rest of the code asks of an image encoder without running it; how it runs: image-encoder.ts. */
export interface EncoderPlan {
  /** Prefix of the names of a block's tensors. */
  readonly block: (index: number) => string
  /** Side and channels of the tokens that a block takes; of block `depth`, of those that the neck takes. */
  readonly tokens: (index: number) => { readonly side: number, readonly dim: number }
  /** The encoder's tensors in a weight file, but for the neck. */
  readonly stored: Shapes
  /** The same as the graph reads them. */
  readonly read: Shapes
  /** A weight file's tensors, made for this image side → what the graph reads at the side of another configuration. */
  readonly prepare: (weights: Tensors, to: SamConfig) => Tensors
}

/** `prefix.weight` of this shape and `prefix.bias` for its first axis. */
export function affineShapes (prefix: string, ...weight: number[]): Shapes {
  return [[`${prefix}.weight`, weight], [`${prefix}.bias`, [weight[0]!]]]
}
