import * as tf from '@tensorflow/tfjs-core'

const LEAST = 1e-12
/** A pixel is of an organ where at least this share of it is. */
const HALF = 0.5
/** How much of an organ's rim is its border, in pixels of a mask. */
const BORDER = 1

/**
 * NT-Xent over cosine similarity of two classes of vectors [n,d] (docs/spec/publications.md#boundary-contrast): mean over all ordered
 * pairs of one class of −log(e^{s⁺/τ} / (e^{s⁺/τ} + Σ over the other class of e^{s⁻/τ})). A vector counts by its weight,
 * 0 or 1, in [n]; 0 where no pair does.
 */
export function contrastLoss (
  { vectors, weights }: { readonly vectors: readonly [tf.Tensor, tf.Tensor], readonly weights: readonly [tf.Tensor, tf.Tensor] },
  temperature: number
): tf.Scalar {
  const [one, other] = [unit(vectors[0]), unit(vectors[1])]
  const sides: (readonly [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor])[] = [
    [one, other, weights[0], weights[1]],
    [other, one, weights[1], weights[0]]
  ]
  const sums = sides.map(([own, others, w, v]) => {
    const [count = 0] = own.shape
    const alike = tf.div(tf.matMul(own, own, false, true), temperature)
    const unlike = tf.exp(tf.div(tf.matMul(own, others, false, true), temperature))
    const negatives = tf.log(tf.add(tf.matMul(unlike, tf.reshape(v, [-1, 1])), LEAST))
    const pairs = tf.mul(tf.mul(tf.reshape(w, [-1, 1]), tf.reshape(w, [1, -1])), tf.sub(1, tf.eye(count)))
    return { loss: tf.sum(tf.mul(pairs, against(alike, negatives))), count: tf.sum(pairs) }
  })
  return tf.div(tf.addN(sums.map(({ loss }) => loss)), tf.maximum(tf.addN(sums.map(({ count }) => count)), 1))
}

interface Looks {
  /** [n,d]. */
  readonly vectors: tf.Tensor
  /** Of each of them, [n,d]. */
  readonly positives: tf.Tensor
  /** [k,d]. */
  readonly negatives: tf.Tensor
  /** Which negatives count for which vector, 0 or 1, [n,k]. */
  readonly counted: tf.Tensor
}

/**
 * InfoNCE over cosine similarity (docs/spec/label-free.md#a-step): mean of −log(e^{s⁺/τ} / (e^{s⁺/τ} + Σ e^{s⁻/τ})) over
 * the vectors for which any negative counts; 0 where there is none.
 */
export function infoNce ({ vectors, positives, negatives, counted }: Looks, temperature: number): tf.Scalar {
  const [z, other] = [unit(vectors), unit(positives)]
  const alike = tf.div(tf.sum(tf.mul(z, other), 1), temperature)
  const unlike = tf.exp(tf.div(tf.matMul(z, negatives, false, true), temperature))
  const any = tf.minimum(tf.sum(counted, 1), 1)
  const losses = against(alike, tf.log(tf.add(tf.sum(tf.mul(unlike, counted), 1), LEAST)))
  return tf.div(tf.sum(tf.mul(any, losses)), tf.maximum(tf.sum(any), 1))
}

/** −log of the share of a positive, whose similarity over τ is `alike`, beside the logarithm of the sum of its negatives. */
function against (alike: tf.Tensor, negatives: tf.Tensor): tf.Tensor {
  return tf.softplus(tf.sub(negatives, alike))
}

/** Vectors [n,d] of length 1. */
export function unit (vectors: tf.Tensor): tf.Tensor {
  return tf.div(vectors, tf.sqrt(tf.add(tf.sum(tf.square(vectors), 1, true), LEAST)))
}

export interface Boundary {
  /** Share of each class, [B,C,H,W]. */
  readonly targets: tf.Tensor
  /** Features [B,H,W,d] of the images, once for each look. */
  readonly pictures: readonly tf.Tensor[]
  /** Width of the surroundings, in pixels of a mask. */
  readonly ring: number
  readonly temperature: number
}

/** Features of an organ's border are alike, and unlike those of its surroundings, in all looks; summed over classes. */
export function boundaryLoss ({ targets, pictures, ring, temperature }: Boundary): tf.Scalar {
  const [images = 0, classes = 0, height = 0, width = 0] = targets.shape
  const planes = tf.cast(tf.greaterEqual(targets, HALF), 'float32')
  const byClass = tf.split(planes, classes, 1)
  return tf.addN(byClass.map((plane) => {
    const mask: tf.Tensor4D = tf.reshape(plane, [images, height, width, 1])
    const areas = [tf.sub(mask, eroded(mask)), tf.sub(grown(mask, ring), mask)].map((area) => tf.reshape(area, [images, 1, height * width]))
    const sizes = areas.map((area) => tf.reshape(tf.sum(area, 2), [images, 1]))
    // Where one of the two is empty there is nothing to tell apart.
    const both = tf.reshape(tf.mul(tf.minimum(sizes[0]!, 1), tf.minimum(sizes[1]!, 1)), [images])
    const means = (i: 0 | 1): tf.Tensor => tf.concat(pictures.map((picture) => meansOf(picture, areas[i]!, sizes[i]!)))
    const weights = tf.concat(pictures.map(() => both))
    return contrastLoss({ vectors: [means(0), means(1)], weights: [weights, weights] }, temperature)
  }))
}

/** Mean features [B,d] over an area [B,1,HW] of so many pixels. */
function meansOf (picture: tf.Tensor, area: tf.Tensor, size: tf.Tensor): tf.Tensor {
  const [images = 0, height = 0, width = 0, channels = 0] = picture.shape
  const sums = tf.matMul(area, tf.reshape(picture, [images, height * width, channels]))
  return tf.div(tf.reshape(sums, [images, channels]), tf.maximum(size, 1))
}

function grown (mask: tf.Tensor4D, pixels: number): tf.Tensor4D {
  return tf.maxPool(mask, 2 * pixels + 1, 1, 'same')
}

function eroded (mask: tf.Tensor4D): tf.Tensor4D {
  return tf.sub(1, grown(tf.sub(1, mask), BORDER))
}
