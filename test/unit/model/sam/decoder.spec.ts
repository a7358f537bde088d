import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../../../src/compute/index.ts'
import { samConfig } from '../../../../src/model/sam/build-sam.ts'
import { mixTokens, outputTokens, upscale } from '../../../../src/model/sam/mask-decoder.ts'
import { densePositions, encodeDense, encodeSparse, type Prompts } from '../../../../src/model/sam/prompt-encoder.ts'
import { promptMasks, samForward } from '../../../../src/model/sam/sam.ts'
import { twoWayLayer } from '../../../../src/model/sam/transformer.ts'
import { compute, expectClose, golden, items, nhwc, tinyWeights } from '../golden.ts'

const config = samConfig('golden-128')
const mask = golden('in.mask')
const inputs = {
  ...tinyWeights,
  embedding: items(nhwc(golden('enc.out')), 0, 1),
  coordinates: golden('in.points'),
  labels: golden('in.labels'),
  boxes: golden('in.boxes'),
  mask: { shape: [2, 32, 32], data: mask.data }
}

function points (t: TensorRecord): Prompts {
  return { points: { coordinates: t['coordinates'] as tf.Tensor3D, labels: t['labels'] as tf.Tensor2D } }
}

function box (t: TensorRecord): Prompts {
  return { boxes: t['boxes'] as tf.Tensor2D }
}

describe('prompt encoder against the reference', () => {
  it('encodes points, boxes, both, masks, nothing, and the grid', async () => {
    const outputs = await compute(inputs, (t) => ({
      points: encodeSparse(t, config, points(t))!,
      box: encodeSparse(t, config, box(t))!,
      both: encodeSparse(t, config, { ...points(t), ...box(t) })!,
      mask: encodeDense(t, { mask: t['mask'] as tf.Tensor3D }),
      nothing: tf.tile(encodeDense(t, {}), [1, 8, 8, 1]),
      grid: densePositions(t, config)
    }))
    expectClose(outputs['points'], golden('pe.sparse_points'), 5e-6)
    expectClose(outputs['box'], golden('pe.sparse_box'), 5e-6)
    expectClose(outputs['both'], golden('pe.sparse_points_box'), 5e-6)
    expectClose(outputs['mask'], nhwc(golden('pe.dense_mask')), 5e-6)
    expectClose(outputs['nothing'], nhwc(golden('pe.dense_nomask')), 5e-6)
    expectClose(outputs['grid'], nhwc(golden('pe.dense_pe')), 5e-6)
  })

  it('takes a box as two labelled corners, too', async () => {
    const corners = { shape: [2, 2, 2], data: golden('in.boxes').data }
    const kinds = { shape: [2, 2], data: Float32Array.of(2, 3, 2, 3) }
    const { y } = await compute({ ...tinyWeights, corners, kinds }, (t) => ({
      y: encodeSparse(t, config, { tokens: { coordinates: t['corners'] as tf.Tensor3D, labels: t['kinds'] as tf.Tensor2D } })!
    }))
    expectClose(y, golden('pe.sparse_box'), 5e-6)
  })
})

describe('mask decoder against the reference', () => {
  it('matches after each layer, at its end and after upscaling', async () => {
    const outputs = await compute(inputs, (t) => {
      const embedding = tf.tile(t['embedding']!, [2, 1, 1, 1]) as tf.Tensor4D
      const input = {
        embedding,
        positions: densePositions(t, config),
        sparse: encodeSparse(t, config, points(t)),
        dense: encodeDense(t, {})
      }
      const tokens = outputTokens(t, input.sparse, 2)
      const grid = tf.reshape(input.positions, [1, 64, 64])
      const start = { queries: tokens, keys: tf.reshape(tf.add(embedding, input.dense), [2, 64, 64]) }
      const first = twoWayLayer(start, { tokens, grid }, t, 0)
      const second = twoWayLayer(first, { tokens, grid }, t, 1)
      const end = mixTokens(t, input)
      return { q0: first.queries, k0: first.keys, q1: second.queries, k1: second.keys, hs: end.queries, up: upscale(t, end.keys, 8) }
    })
    expectClose(outputs['q0'], golden('dec.points.layer0.queries'), 4e-5)
    expectClose(outputs['k0'], golden('dec.points.layer0.keys'), 4e-5)
    expectClose(outputs['q1'], golden('dec.points.layer1.queries'), 4e-5)
    expectClose(outputs['k1'], golden('dec.points.layer1.keys'), 4e-5)
    expectClose(outputs['hs'], golden('dec.points.hs'), 4e-5)
    expectClose(outputs['up'], nhwc(golden('dec.points.upscaled')), 4e-5)
  })

  it('gives masks and IoU for points, boxes and all prompts together', async () => {
    const outputs = await compute(inputs, (t) => {
      const run = (prompts: Prompts): ReturnType<typeof promptMasks> => promptMasks(t, config, t['embedding'] as tf.Tensor4D, prompts)
      const results = {
        points: run(points(t)),
        box: run(box(t)),
        points_box_mask: run({ ...points(t), ...box(t), mask: t['mask'] as tf.Tensor3D })
      }
      return Object.fromEntries(
        Object.entries(results).flatMap(([name, { masks, iou }]): [string, tf.Tensor][] => [[`${name}.masks`, masks], [`${name}.iou`, iou]])
      )
    })
    for (const name of ['points', 'box', 'points_box_mask']) {
      expectClose(outputs[`${name}.masks`], golden(`dec.${name}.masks`), 3e-5)
      expectClose(outputs[`${name}.iou`], golden(`dec.${name}.iou`), 3e-5)
    }
  })

  it('without prompts a batch equals its images one by one', async () => {
    const { masks, iou } = await compute({ ...tinyWeights, image: nhwc(golden('in.image')) }, (t) => {
      const output = samForward(t, config, t['image'] as tf.Tensor4D)
      return { masks: output.masks, iou: output.iou }
    })
    for (const i of [0, 1]) {
      expectClose(items(masks as never, i, i + 1), golden(`dec.none${i}.masks`), 3e-5)
      expectClose(items(iou as never, i, i + 1), golden(`dec.none${i}.iou`), 3e-5)
    }
  })

  it('computes only the maps asked for', async () => {
    const { masks } = await compute(
      inputs,
      (t) => ({ masks: promptMasks(t, config, t['embedding'] as tf.Tensor4D, {}, { maps: [0] }).masks })
    )
    expectClose(masks, { shape: [1, 1, 32, 32], data: golden('dec.none0.masks').data.slice(0, 32 * 32) }, 3e-5)
  })
})
