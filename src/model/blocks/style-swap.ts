import * as tf from '@tensorflow/tfjs-core'

/** Beside a variance, as its authors have it. */
const EPSILON = 1e-6

/**
 * Whose styles images take, and how: `from` [D,H,W,C] lend theirs beside the images; `matrix` [B·n², (B+D)·n²] has one 1 in each
 * row.
 */
export interface Donors {
  readonly from?: tf.Tensor4D | undefined
  readonly matrix: tf.Tensor2D
}

/**
 * Cross-Patch Style Swap (docs/spec/views.md#style-swap): each of the n×n patches of a feature map [B,H,W,C] takes mean and deviation of
 * another one. These are constants: the gradient flows through the values alone.
 */
export function swapStyles (x: tf.Tensor4D, { from, matrix }: Donors): tf.Tensor4D {
  const [images, height, width, channels] = x.shape
  const patches = matrix.shape[0] / images
  const places = patchPlaces(height, width, Math.sqrt(patches))
  const rows = (maps: tf.Tensor4D): tf.Tensor3D => tf.reshape(maps, [maps.shape[0], height * width, channels])
  const swap = tf.customGrad<tf.Tensor3D>(((input: tf.Tensor3D, save: tf.GradSaveFunc) => {
    const own = stylesOf(input, places)
    const lent = from == null ? own : joined(own, stylesOf(rows(from), places))
    const spread = (styles: tf.Tensor): tf.Tensor3D => tf.matMul<tf.Tensor3D>(
      tf.tile(tf.expandDims(tf.transpose(places), 0), [images, 1, 1]),
      tf.reshape(styles, [images, patches, channels])
    )
    const taken = (styles: tf.Tensor3D): tf.Tensor => tf.matMul(matrix, tf.reshape(styles, [-1, channels]))
    const scale = spread(tf.div(taken(lent.deviation), tf.reshape(own.deviation, [images * patches, channels])))
    const value = tf.add<tf.Tensor3D>(tf.mul(tf.sub(input, spread(own.mean)), scale), spread(taken(lent.mean)))
    save([scale])
    return { value, gradFunc: (dy: tf.Tensor3D, saved: tf.Tensor[]) => tf.mul(dy, saved[0]!) }
  }) as never)
  return tf.reshape(swap(rows(x)), x.shape)
}

interface Styles {
  /** [maps, n², C] */
  readonly mean: tf.Tensor3D
  readonly deviation: tf.Tensor3D
}

function joined (own: Styles, others: Styles): Styles {
  return { mean: tf.concat([own.mean, others.mean]), deviation: tf.concat([own.deviation, others.deviation]) }
}

/** Of each patch and channel of maps [maps, H·W, C]; the variance with one less than the number of places. */
function stylesOf (maps: tf.Tensor3D, places: tf.Tensor2D): Styles {
  const [count] = maps.shape
  const [patches] = places.shape
  const each = <T extends tf.Tensor> (matrix: T): tf.Tensor3D => tf.tile(tf.expandDims(matrix, 0), [count, 1, 1])
  const sizes = tf.sum(places, 1, true)
  const mean = tf.matMul<tf.Tensor3D>(each(tf.div(places, sizes)), maps)
  const around = tf.sub(maps, tf.matMul(each(tf.transpose(places)), mean))
  const variance = tf.matMul<tf.Tensor3D>(each(tf.div(places, tf.maximum(tf.sub(sizes, 1), 1))), tf.square(around))
  return { mean: tf.reshape(mean, [count, patches, -1]), deviation: tf.sqrt(tf.add(variance, EPSILON)) }
}

/** [n², H·W]: 1 where a place lies in a patch, rows ⌊iH/n⌋ to ⌊(i+1)H/n⌋ and columns alike. */
function patchPlaces (height: number, width: number, n: number): tf.Tensor2D {
  const patchOf = (at: number, side: number): number => Math.floor(((at + 1) * n - 1) / side)
  const places = new Float32Array(n * n * height * width)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) places[(patchOf(y, height) * n + patchOf(x, width)) * height * width + y * width + x] = 1
  }
  return tf.tensor2d(places, [n * n, height * width])
}
