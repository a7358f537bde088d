/**
 * Registers tfjs-core's gradients, which its Node build leaves out (bundled by scripts/build.js so that core stays one instance), and
 * mends those that are wrong or missing: broadcast operands of products, squared differences and extremes, cumulative sums along other axes
 * than the last, tiles of rank 5 and more, comparisons; softmax in few passes.
 */
import * as tf from '@tensorflow/tfjs-core'
// After core, whose engine both copies then share: the bundle's own has no operations.
import '#tfjs-gradients'
import { hasKernel } from './ops.ts'

type Lazy = () => tf.Tensor

/** `gradient` summed over the axes along which an operand of `shape` was broadcast. */
function unbroadcast (gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const missing = gradient.rank - shape.length
  const axes = gradient.shape.map((_, axis) => axis).filter((axis) =>
    axis < missing || (shape[axis - missing] === 1 && gradient.shape[axis] !== 1)
  )
  return axes.length === 0 ? gradient : tf.reshape(tf.sum(gradient, axes, true), shape)
}

/** The gradient of one operand of a product; `first` · `second` with either transposed. */
function productGradient (
  first: tf.Tensor,
  second: tf.Tensor,
  transposeFirst: boolean,
  transposeSecond: boolean,
  shape: number[]
): tf.Tensor {
  // A weight matrix under many batches: one product over all rows instead of a sum of products.
  const shared = shape.length === 2 && transposeFirst && !transposeSecond && first.rank > 2 && first.rank === second.rank
  if (shared) return tf.matMul(rowsOf(first), rowsOf(second), true, false)
  return unbroadcast(tf.matMul(first, second, transposeFirst, transposeSecond), shape)
}

function rowsOf (x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape.at(-1) as number])
}

function matMulGradient (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor, { transposeA, transposeB }: tf.BatchMatMulAttrs): { a: Lazy, b: Lazy } {
  const gradient = (operand: tf.Tensor, first: tf.Tensor, second: tf.Tensor, transposeFirst: boolean, transposeSecond: boolean): Lazy =>
    () => productGradient(first, second, transposeFirst, transposeSecond, operand.shape)
  return {
    a: transposeA ? gradient(a, b, dy, transposeB, true) : gradient(a, dy, b, false, !transposeB),
    b: transposeB ? gradient(b, dy, a, true, transposeA) : gradient(b, a, dy, !transposeA, false)
  }
}

tf.registerGradient({
  kernelName: 'BatchMatMul',
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, saved, attributes) =>
    matMulGradient(dy as tf.Tensor, saved[0] as tf.Tensor, saved[1] as tf.Tensor, attributes as unknown as tf.BatchMatMulAttrs)
})

tf.registerGradient({
  kernelName: 'SquaredDifference',
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, saved) => {
    const [a, b] = saved as [tf.Tensor, tf.Tensor]
    const slope = (): tf.Tensor => tf.mul(dy as tf.Tensor, tf.mul(tf.sub(a, b), 2))
    return { a: () => unbroadcast(slope(), a.shape), b: () => unbroadcast(tf.neg(slope()), b.shape) }
  }
})

/** The operand that wins gets the gradient; the first one where both are equal. */
function registerExtreme (kernelName: string, firstWins: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): void {
  tf.registerGradient({
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => {
      const [a, b] = saved as [tf.Tensor, tf.Tensor]
      const share = (wins: tf.Tensor, shape: number[]): tf.Tensor => unbroadcast(tf.mul(dy as tf.Tensor, tf.cast(wins, 'float32')), shape)
      return { a: () => share(firstWins(a, b), a.shape), b: () => share(tf.logicalNot(firstWins(a, b)), b.shape) }
    }
  })
}

registerExtreme('Maximum', tf.greaterEqual)
registerExtreme('Minimum', tf.lessEqual)

tf.registerGradient({
  kernelName: 'Cumsum',
  gradFunc: (dy, _, attributes) => {
    const { axis, exclusive, reverse } = attributes as unknown as tf.CumsumAttrs
    return { x: () => tf.cumsum(dy as tf.Tensor, axis, exclusive, !reverse) }
  }
})

tf.registerGradient({
  kernelName: 'Tile',
  inputsToSave: ['x'],
  gradFunc: (dy, saved, attributes) => ({
    x: () => tileGradient(dy as tf.Tensor, (saved[0] as tf.Tensor).shape, attributes['reps'] as number[])
  })
})

/** The copies of every element lie along axes of their own once each repeated axis is split into (copies, extent). */
function tileGradient (dy: tf.Tensor, shape: number[], repetitions: number[]): tf.Tensor {
  const split = shape.flatMap((extent, axis) => repetitions[axis] === 1 ? [extent] : [repetitions[axis] as number, extent])
  const copies = shape.flatMap((_, axis) => repetitions[axis] === 1 ? [false] : [true, false])
  const axes = copies.flatMap((isCopy, axis) => isCopy ? [axis] : [])
  return axes.length === 0 ? dy : tf.reshape(tf.sum(tf.reshape(dy, split), axes), shape)
}

tf.registerGradient({
  kernelName: 'Softmax',
  outputsToSave: [true],
  gradFunc: (dy, saved, attributes) => ({
    logits: () => softmaxGradient(dy as tf.Tensor, saved[0] as tf.Tensor, attributes['dim'] as number)
  })
})

function softmaxGradient (dy: tf.Tensor, y: tf.Tensor, dim: number): tf.Tensor {
  const last = dim === -1 || dim === y.rank - 1
  if (last && hasKernel('SoftmaxGrad')) return tf.engine().runKernel<tf.Tensor>('SoftmaxGrad', { dy, y })
  return tf.mul(y, tf.sub(dy, tf.sum(tf.mul(dy, y), dim, true)))
}

for (const kernelName of ['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual']) {
  tf.registerGradient({
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (_, saved) => ({ a: () => tf.zerosLike(saved[0] as tf.Tensor), b: () => tf.zerosLike(saved[1] as tf.Tensor) })
  })
}
