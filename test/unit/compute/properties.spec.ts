/** Products and reductions over drawn shapes, broadcasts and transposes. */
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { createEngines, disposeEngines, expectSame, numbers, withGradients } from './compare.ts'
import type { Engines } from './compare.ts'

const extent = fc.integer({ min: 1, max: 5 })
const drawn = { numRuns: 40, seed: 7 }

/** Two shapes that broadcast together: some axes of either are 1 or missing at the front. */
const broadcastPair = fc.array(fc.tuple(extent, fc.constantFrom('both', 'first', 'second')), { maxLength: 3 }).chain((axes) =>
  fc.tuple(fc.integer({ min: 0, max: axes.length }), fc.integer({ min: 0, max: axes.length }), fc.boolean()).map(
    ([first, second, swap]) => {
      const a = axes.map(([size, who]) => who === 'second' ? 1 : size).slice(swap ? 0 : first)
      const b = axes.map(([size, who]) => who === 'first' ? 1 : size).slice(swap ? second : 0)
      return { a, b }
    }
  )
)

function matrix (rows: number, columns: number, transposed: boolean): number[] {
  return transposed ? [columns, rows] : [rows, columns]
}

describe('compute: properties of the onnx engine against tfjs-cpu', () => {
  let engines: Engines
  before(async () => { engines = await createEngines() })
  after(async () => { await disposeEngines(engines) })

  it('products over broadcast batches with either operand transposed, and their gradients', async () => {
    const cases = fc.record({
      batch: broadcastPair,
      rows: extent,
      inner: extent,
      columns: extent,
      transposeA: fc.boolean(),
      transposeB: fc.boolean()
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ batch, rows, inner, columns, transposeA, transposeB }) => {
        const a = numbers([...batch.a, ...matrix(rows, inner, transposeA)])
        const b = numbers([...batch.b, ...matrix(inner, columns, transposeB)], -1, 1, 3)
        const product = (left: tf.Tensor, right: tf.Tensor): tf.Tensor => tf.matMul(left, right, transposeA, transposeB)
        // tfjs-cpu is wrong where both batches are broadcast.
        const full = (t: tf.Tensor, other: tf.Tensor): tf.Tensor =>
          tf.broadcastTo(t, [
            ...tf.broadcast_util.assertAndGetBroadcastShape(t.shape.slice(0, -2), other.shape.slice(0, -2)),
            ...t.shape.slice(-2)
          ])
        const step = withGradients((t) => product(t['a'] as tf.Tensor, t['b'] as tf.Tensor))
        const reference = withGradients((t) =>
          product(full(t['a'] as tf.Tensor, t['b'] as tf.Tensor), full(t['b'] as tf.Tensor, t['a'] as tf.Tensor))
        )
        await expectSame(engines, step, { a, b }, reference)
      }),
      drawn
    )
  })

  it('elementwise operations on broadcast operands, and their gradients', async () => {
    await fc.assert(
      fc.asyncProperty(broadcastPair, async ({ a, b }) => {
        const operation = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.add(tf.mul(x, y), tf.div(tf.sub(x, y), tf.add(tf.square(y), 1)))
        await expectSame(engines, withGradients((t) => operation(t['a'] as tf.Tensor, t['b'] as tf.Tensor)), {
          a: numbers(a),
          b: numbers(b, -1, 1, 3)
        })
      }),
      drawn
    )
  })

  it('sums, means and extremes over any axes, and their gradients', async () => {
    const shapes = fc.array(extent, { minLength: 1, maxLength: 4 })
    const cases = shapes.chain((shape) =>
      fc.record({ shape: fc.constant(shape), axes: fc.subarray(shape.map((_, axis) => axis)), keep: fc.boolean() })
    )
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, axes, keep }) => {
        await expectSame(
          engines,
          withGradients(({ x }) => {
            const t = x as tf.Tensor
            return tf.add(tf.add(tf.sum(t, axes, keep), tf.mean(t, axes, keep)), tf.add(tf.max(t, axes, keep), tf.min(t, axes, keep)))
          }),
          { x: numbers(shape) }
        )
      }),
      drawn
    )
  })

  it('transposes and reshapes in any order', async () => {
    const cases = fc.array(extent, { minLength: 2, maxLength: 4 }).chain((shape) =>
      fc.record({ shape: fc.constant(shape), permutation: fc.shuffledSubarray(shape.map((_, axis) => axis), { minLength: shape.length }) })
    )
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, permutation }) => {
        await expectSame(
          engines,
          withGradients(({ x }) => tf.transpose(tf.reshape(tf.transpose(x as tf.Tensor, permutation), shape), permutation)),
          { x: numbers(shape) }
        )
      }),
      drawn
    )
  })

  it('elementwise operations on views of other shapes', async () => {
    const operands = (a: number, b: number, c: number): number[][] => [[c], [b, 1], [a, 1, 1], [b, c], [1, c], [], [1, 1, 1]]
    const cases = fc.record({
      extents: fc.tuple(extent, extent, extent),
      rows: fc.constantFrom('rows', 'flat', 'columns'),
      second: fc.integer({ min: 0, max: 6 }),
      view: fc.boolean()
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ extents: [a, b, c], rows, second, view }) => {
        const shape = { rows: [a * b, c], flat: [a * b * c], columns: [a, b * c] }[rows]
        const other = operands(a, b, c)[second] as number[]
        await expectSame(
          engines,
          withGradients(({ x, y, z }) => {
            const viewed = tf.reshape(tf.sin(x as tf.Tensor), [a, b, c])
            const third = view ? tf.reshape(tf.exp(tf.reshape(z as tf.Tensor, [a * b * c])), [a, b, c]) : z as tf.Tensor
            return tf.mul(tf.add(tf.mul(viewed, y as tf.Tensor), third), tf.cos(viewed))
          }),
          { x: numbers(shape), y: numbers(other, -1, 1, 3), z: numbers([a, b, c], -1, 1, 5) }
        )
      }),
      drawn
    )
  })
})
