import * as tf from '@tensorflow/tfjs-core'
import { stopped } from '../objectives/alignment.ts'
import type { RelationSizes } from '../parameters/relations.ts'

/** What a mixture of P numbers is made of in one phase; all but the first two are as the phase began (docs/spec/mixing.md#relations). */
export interface MixtureParts {
  /** The site's own core, as it is trained: [P]. */
  readonly core: tf.Tensor
  /** Relations by core and layer: [(1 + others)·layers]. */
  readonly relations: tf.Tensor
  /** The shared adapter, and the own core: [P]. */
  readonly shared: tf.Tensor
  readonly before: tf.Tensor
  /** By how much each core departs from the shared adapter, the own one first: [1 + others, P]; zeros where none is held. */
  readonly departures: tf.Tensor
  /** 1 for cores that are held: [1 + others]. */
  readonly held: tf.Tensor
  /** How much of the average moves with the own core, of 1. */
  readonly prior: tf.Tensor
}

/**
 * w = x + π·(u − u₀) + Σ a_j·(u_j − x) in each layer, π = p·(1 − Σ a_j) + a_own: [P]. To the gradient π is a constant.
 * With no relation but one of 1 to itself w is u, bit for bit.
 */
export function mixture (parts: MixtureParts, { layers, others }: RelationSizes): tf.Tensor {
  const { core, shared, before, departures, held, prior } = parts
  const cores = 1 + others
  const relations = tf.mul(tf.reshape(parts.relations, [cores, layers.length]), tf.reshape(held, [cores, 1]))
  const sizes = [...layers]
  const [cuts, own, start] = [core, shared, before].map((each) => cut(each, sizes)) as [tf.Tensor[], tf.Tensor[], tf.Tensor[]]
  const apart = cut(departures, sizes, 1)
  const columns = cut(relations, layers.map(() => 1), 1)
  return tf.concat(columns.map((column, layer) => {
    const fixed = stopped(column)
    const [self, rest] = tf.split(fixed, [1, others]) as [tf.Tensor, tf.Tensor]
    const toSelf = tf.reshape(self, [1])
    const part = tf.add(tf.mul(prior, tf.sub(1, tf.add(toSelf, tf.sum(rest)))), toSelf)
    const [, theirs] = tf.split(apart[layer]!, [1, others]) as [tf.Tensor2D, tf.Tensor2D]
    // The value: what of the shared adapter and of the own core cancels is left out, not subtracted.
    const value = tf.addN([
      tf.mul(own[layer]!, tf.sub(1, toSelf)),
      tf.mul(start[layer]!, tf.sub(toSelf, part)),
      tf.mul(cuts[layer]!, part),
      tf.reshape(tf.matMul(rest as tf.Tensor2D, theirs, true), [-1])
    ])
    // The gradient to relations; nothing is added.
    const lent = tf.reshape(tf.matMul(column as tf.Tensor2D, apart[layer] as tf.Tensor2D, true), [-1])
    return tf.add(value, tf.sub(lent, stopped(lent)))
  }))
}

/** Of one piece a split has no gradient. */
function cut (x: tf.Tensor, sizes: number[], axis = 0): tf.Tensor[] {
  return sizes.length === 1 ? [x] : tf.split(x, sizes, axis)
}
