import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import type { HostRecord, TensorRecord } from '../../../src/compute/index.ts'
import { createEngines, disposeEngines, expectSame, integers, numbers, withGradients } from './compare.ts'
import type { Engines } from './compare.ts'

type Operation = (inputs: TensorRecord) => tf.Tensor
interface Case { readonly inputs: HostRecord, readonly operation: Operation }

const T = (inputs: TensorRecord, name = 'x'): tf.Tensor => inputs[name] as tf.Tensor
const x = { x: numbers([2, 3, 5]) }
const positive = { x: numbers([2, 3, 5], 0.1, 3) }
const unary = (operation: (x: tf.Tensor) => tf.Tensor, inputs: HostRecord = x): Case => ({
  inputs,
  operation: (tensors) => operation(T(tensors))
})
const pairs: HostRecord[] = [
  { x: numbers([2, 3, 4]), y: numbers([2, 3, 4], 0.5, 2, 7) },
  { x: numbers([2, 3, 4]), y: numbers([4], 0.5, 2, 7) },
  { x: numbers([3, 1]), y: numbers([2, 1, 4], 0.5, 2, 7) },
  { x: numbers([]), y: numbers([2, 2], 0.5, 2, 7) }
]

/** Values and gradients must be those of tfjs-cpu. */
const differentiable: Record<string, Case | Case[]> = {
  abs: unary(tf.abs),
  acos: unary(tf.acos, { x: numbers([7], -0.9, 0.9) }),
  asin: unary(tf.asin, { x: numbers([7], -0.9, 0.9) }),
  asinh: unary(tf.asinh),
  atan: unary(tf.atan),
  atanh: unary(tf.atanh, { x: numbers([7], -0.9, 0.9) }),
  clip: unary((t) => tf.clipByValue(t, -0.5, 0.7)),
  cos: unary(tf.cos),
  cosh: unary(tf.cosh),
  elu: unary(tf.elu),
  erf: unary(tf.erf),
  exp: unary(tf.exp),
  expm1: unary(tf.expm1),
  leakyRelu: unary((t) => tf.leakyRelu(t, 0.3)),
  log: unary(tf.log, positive),
  log1p: unary(tf.log1p, positive),
  neg: unary(tf.neg),
  prelu: { inputs: { x: numbers([2, 3]), a: numbers([3], 0.1, 0.5) }, operation: (t) => tf.prelu(T(t), T(t, 'a')) },
  reciprocal: unary(tf.reciprocal, positive),
  relu: unary(tf.relu),
  relu6: unary(tf.relu6, { x: numbers([30], -4, 9) }),
  rsqrt: unary(tf.rsqrt, positive),
  selu: unary(tf.selu),
  sigmoid: unary(tf.sigmoid),
  sin: unary(tf.sin),
  sinh: unary(tf.sinh),
  softplus: unary(tf.softplus, { x: numbers([30], -30, 30) }),
  sqrt: unary(tf.sqrt, positive),
  square: unary(tf.square),
  tan: unary(tf.tan, { x: numbers([9], -1, 1) }),
  tanh: unary(tf.tanh),
  add: pairs.map((inputs) => ({ inputs, operation: (t) => tf.add(T(t), T(t, 'y')) })),
  sub: pairs.map((inputs) => ({ inputs, operation: (t) => tf.sub(T(t), T(t, 'y')) })),
  mul: pairs.map((inputs) => ({ inputs, operation: (t) => tf.mul(T(t), T(t, 'y')) })),
  div: pairs.map((inputs) => ({ inputs, operation: (t) => tf.div(T(t), T(t, 'y')) })),
  pow: pairs.map((inputs) => ({ inputs, operation: (t) => tf.pow(tf.add(tf.abs(T(t)), 0.5), T(t, 'y')) })),
  'pow by a number': unary((t) => tf.add(tf.pow(t, 2), tf.pow(t, 3))),
  maximum: pairs.map((inputs) => ({ inputs, operation: (t) => tf.maximum(T(t), T(t, 'y')) })),
  minimum: pairs.map((inputs) => ({ inputs, operation: (t) => tf.minimum(T(t), T(t, 'y')) })),
  squaredDifference: pairs.map((inputs) => ({ inputs, operation: (t) => tf.squaredDifference(T(t), T(t, 'y')) })),
  atan2: { inputs: { x: numbers([9]), y: numbers([9], -2, 2, 7) }, operation: (t) => tf.atan2(T(t), T(t, 'y')) },
  addN: { inputs: { x: numbers([2, 3]), y: numbers([2, 3], 0, 1, 5) }, operation: (t) => tf.addN([T(t), T(t, 'y'), T(t)]) },
  where: {
    inputs: { x: numbers([2, 3]), y: numbers([2, 3], 0, 1, 5) },
    operation: (t) => tf.where(tf.greater(T(t), T(t, 'y')), T(t), tf.mul(T(t, 'y'), 2))
  },
  sum: [
    unary((t) => tf.sum(t)),
    unary((t) => tf.sum(t, [0, 2])),
    unary((t) => tf.sum(t, 1, true)),
    unary((t) => tf.sum(t, [])),
    unary((t) => tf.sum(t), { x: numbers([1, 1]) })
  ],
  mean: [unary((t) => tf.mean(t)), unary((t) => tf.mean(t, [0, 2])), unary((t) => tf.mean(t, -1, true))],
  max: [unary((t) => tf.max(t)), unary((t) => tf.max(t, 1)), unary((t) => tf.max(t, [0, 2], true))],
  min: [unary((t) => tf.min(t)), unary((t) => tf.min(t, 1))],
  logSumExp: unary((t) => tf.logSumExp(t, -1)),
  softmax: unary((t) => tf.softmax(t)),
  logSoftmax: unary((t) => tf.logSoftmax(t)),
  cumsum: [unary((t) => tf.cumsum(t, 1)), unary((t) => tf.cumsum(t, 2, true, true))],
  reshape: unary((t) => tf.reshape(tf.mul(t, 2), [5, 6])),
  transpose: [unary((t) => tf.transpose(t, [2, 0, 1])), unary((t) => tf.transpose(tf.reshape(t, [1, 2, 3, 1, 5, 1]), [0, 3, 1, 5, 4, 2]))],
  concat: { inputs: { x: numbers([2, 3]), y: numbers([2, 1]) }, operation: (t) => tf.concat([T(t), T(t, 'y'), tf.zeros([2, 0])], 1) },
  stack: { inputs: { x: numbers([2, 3]), y: numbers([2, 3]) }, operation: (t) => tf.stack([T(t), T(t, 'y')], 1) },
  unstack: unary((t) => tf.add(...(tf.unstack(t, 0) as [tf.Tensor, tf.Tensor]))),
  split: unary((t) => {
    const [first, second] = tf.split(t, [2, 3], 2) as [tf.Tensor, tf.Tensor]
    return tf.mul(first, tf.slice(second, [0, 0, 1], [2, 3, 2]))
  }),
  'split into more parts than a GPU has buffers': unary(
    (t) => tf.concat(tf.split(tf.exp(t), 60).map((part, index) => tf.mul(part, index)).reverse()),
    { x: numbers([180]) }
  ),
  pad: unary((t) => tf.pad(t, [[0, 1], [2, 0], [0, 3]], 0.5)),
  slice: unary((t) => tf.slice(t, [0, 1, 2], [-1, 2, 2])),
  reverse: unary((t) => tf.reverse(t, [0, 2])),
  tile: [unary((t) => tf.tile(t, [2, 1, 3])), unary((t) => tf.tile(t, [2, 1, 3]), { x: numbers([1, 4, 1]) })],
  broadcastTo: unary((t) => tf.broadcastTo(t, [4, 3, 5]), { x: numbers([3, 1]) }),
  expandDims: unary((t) => tf.expandDims(t, 1)),
  gather: [
    {
      inputs: { x: numbers([4, 3]), i: integers([2, 3], [3, 0, 1, 1, 2, 3]) },
      operation: (t) => tf.gather(T(t), tf.cast(T(t, 'i'), 'int32'))
    },
    { inputs: { x: numbers([2, 4, 3]), i: integers([5], [3, 0, 1, 1, 2]) }, operation: (t) => tf.gather(T(t), T(t, 'i'), 1) }
  ],
  depthToSpace: unary((t) => tf.transpose(tf.reshape(t, [1, 2, 3, 2, 2, 2]), [0, 1, 3, 2, 4, 5]), { x: numbers([1, 2, 3, 8]) }),
  conv2d: [
    {
      inputs: { x: numbers([2, 6, 7, 3]), f: numbers([3, 3, 3, 4]) },
      operation: (t) => tf.conv2d(T(t) as tf.Tensor4D, T(t, 'f') as tf.Tensor4D, 1, 'same')
    },
    {
      inputs: { x: numbers([1, 7, 8, 2]), f: numbers([3, 2, 2, 3]) },
      operation: (t) => tf.conv2d(T(t) as tf.Tensor4D, T(t, 'f') as tf.Tensor4D, 2, 'valid')
    },
    {
      inputs: { x: numbers([1, 8, 8, 2]), f: numbers([3, 3, 2, 3]) },
      operation: (t) => tf.conv2d(T(t) as tf.Tensor4D, T(t, 'f') as tf.Tensor4D, [2, 3], 'same')
    }
  ],
  conv2dTranspose: {
    inputs: { x: numbers([1, 3, 4, 2]), f: numbers([2, 2, 3, 2]) },
    operation: (t) => tf.conv2dTranspose(T(t) as tf.Tensor4D, T(t, 'f') as tf.Tensor4D, [1, 6, 8, 3], 2, 'valid')
  },
  resizeBilinear: unary((t) => tf.image.resizeBilinear(t as tf.Tensor4D, [7, 7]), { x: numbers([2, 4, 4, 3]) })
}

/** No gradient, or none that matters. */
const plain: Record<string, Case | Case[]> = {
  'comparisons and logic': {

    inputs: { x: integers([2, 4], [0, 1, 2, 3]), y: integers([4], [2, 1, 0, 3]) },
    operation: (t) =>
      tf.stack(
        [
          tf.equal(T(t), T(t, 'y')),
          tf.notEqual(T(t), T(t, 'y')),
          tf.greater(T(t), T(t, 'y')),
          tf.greaterEqual(T(t), T(t, 'y')),
          tf.less(T(t), T(t, 'y')),
          tf.lessEqual(T(t), T(t, 'y')),
          tf.logicalAnd(tf.cast(T(t), 'bool'), tf.cast(T(t, 'y'), 'bool')),
          tf.logicalOr(tf.cast(T(t), 'bool'), tf.cast(T(t, 'y'), 'bool')),
          tf.logicalNot(tf.less(T(t), tf.broadcastTo(T(t, 'y'), [2, 4])))
        ].map((part) => tf.cast(part, 'int32'))
      )
  },
  'round, ceil, floor, sign, step': unary(
    (t) => tf.stack([tf.round(t), tf.ceil(t), tf.floor(t), tf.sign(t), tf.step(t), tf.step(t, 0.25)]),
    { x: { shape: [6], data: Float32Array.of(-1.5, -0.5, 0, 0.5, 1.5, 2.5) } }
  ),
  'isNaN, isInf, isFinite': unary((t) => tf.stack([tf.isNaN(t), tf.isInf(t), tf.isFinite(t)]), {
    x: { shape: [4], data: Float32Array.of(NaN, Infinity, -Infinity, 1) }
  }),
  'log1p and expm1 at the ends': unary((t) => tf.stack([tf.log1p(t), tf.expm1(t)]), {
    x: { shape: [5], data: Float32Array.of(1e-8, -1e-5, 0, 1e20, Infinity) }
  }),
  'integer arithmetic': {

    inputs: { x: integers([6], [7, -7, 7, -7, 20000001, 3]), y: integers([6], [2, 2, -2, -2, 2, 5]) },
    operation: (t) =>
      tf.stack([
        tf.floorDiv(T(t), T(t, 'y')),
        tf.mod(T(t), T(t, 'y')),
        tf.add(T(t), T(t, 'y')),
        tf.mul(T(t), T(t, 'y')),
        tf.maximum(T(t), T(t, 'y')),
        tf.abs(T(t)),
        tf.square(T(t, 'y'))
      ])
  },
  'float mod': { inputs: { x: numbers([9], -5, 5), y: numbers([9], 0.5, 2, 3) }, operation: (t) => tf.mod(T(t), T(t, 'y')) },
  prod: unary((t) => tf.prod(t, 1)),
  cast: unary((t) => tf.stack([tf.cast(t, 'int32'), tf.cast(tf.cast(t, 'bool'), 'int32')])),
  'argMax, argMin': unary((t) => tf.stack([tf.argMax(t, 1), tf.argMin(t, 1)])),
  'all, any': unary((t) => tf.cast(tf.stack([tf.all(tf.greater(t, 0), 1), tf.any(tf.greater(t, 1), 1)]), 'int32')),
  'topk values': unary((t) => tf.topk(t, 2).values),
  'topk indices': unary((t) => tf.topk(t, 2).indices),
  oneHot: [
    unary((t) => tf.oneHot(tf.cast(t, 'int32'), 4), { x: integers([5], [0, 3, 1, 7, -1]) }),
    unary((t) => tf.oneHot(tf.cast(t, 'int32'), 3, 2, -1, 'float32'), { x: integers([2, 2], [0, 1, 2]) })
  ],
  stridedSlice: [
    unary((t) => tf.stridedSlice(t, [0, 2, 4], [2, 0, 0], [1, -1, -2])),
    unary((t) => tf.stridedSlice(t, [1, 0, 1], [2, 3, 5], [1, 2, 3], 0, 2))
  ],
  'zeros, ones, fill, range, linspace': unary((t) =>
    tf.add(tf.add(tf.zerosLike(t), tf.onesLike(t)), tf.add(tf.fill([2, 3, 5], 2), tf.add(tf.range(0, 5), tf.linspace(0, 1, 5))))
  ),
  'batched gather': {
    inputs: { x: numbers([2, 4, 3]), i: integers([2, 2], [3, 0, 1, 2]) },
    operation: (t) => tf.gather(T(t), T(t, 'i'), 1, 1)
  },
  'segment sum': {
    inputs: { x: numbers([4, 3]), i: integers([4], [2, 0, 2, 1]) },
    operation: (t) => tf.unsortedSegmentSum(T(t), T(t, 'i') as tf.Tensor1D, 3)
  },
  'depthToSpace kernel': unary((t) => tf.depthToSpace(t as tf.Tensor4D, 2), { x: numbers([1, 2, 3, 8]) }),
  depthwise: {
    inputs: { x: numbers([1, 5, 6, 2]), f: numbers([3, 3, 2, 2]) },
    operation: (t) => tf.depthwiseConv2d(T(t) as tf.Tensor4D, T(t, 'f') as tf.Tensor4D, 1, 'same')
  },
  pooling: [
    unary((t) => tf.maxPool(t as tf.Tensor4D, 2, 2, 'valid'), { x: numbers([1, 5, 6, 2]) }),
    unary((t) => tf.avgPool(t as tf.Tensor4D, 3, 2, 'same'), { x: numbers([1, 5, 6, 2]) })
  ],
  'resizeBilinear with half pixels': [
    unary((t) => tf.image.resizeBilinear(t as tf.Tensor4D, [8, 11], false, true), { x: numbers([2, 4, 5, 3]) }),
    unary((t) => tf.image.resizeBilinear(t as tf.Tensor4D, [3, 2], true), { x: numbers([2, 4, 5, 3]) })
  ],
  resizeNearestNeighbor: [
    unary((t) => tf.image.resizeNearestNeighbor(t as tf.Tensor4D, [7, 3]), { x: numbers([1, 4, 5, 2]) }),
    unary((t) => tf.image.resizeNearestNeighbor(t as tf.Tensor4D, [7, 3], false, true), { x: numbers([1, 4, 5, 2]) })
  ],
  flipLeftRight: unary((t) => tf.image.flipLeftRight(t as tf.Tensor4D), { x: numbers([1, 4, 5, 2]) }),
  'fused product': {
    inputs: { x: numbers([2, 3]), y: numbers([3, 4]), b: numbers([4]) },
    operation: (t) => tf.fused.matMul({ a: T(t), b: T(t, 'y'), transposeA: false, transposeB: false, bias: T(t, 'b'), activation: 'relu' })
  },
  'fused convolution': {
    inputs: { x: numbers([1, 4, 4, 2]), f: numbers([2, 2, 2, 3]), b: numbers([3]) },
    operation: (t) =>
      tf.fused.conv2d({
        x: T(t) as tf.Tensor4D,
        filter: T(t, 'f') as tf.Tensor4D,
        strides: 1,
        pad: 'same',
        bias: T(t, 'b'),
        activation: 'sigmoid'
      })
  }
}

describe('compute: kernels of the onnx engine give what tfjs-cpu gives', () => {
  let engines: Engines
  before(async () => { engines = await createEngines() })
  after(async () => { await disposeEngines(engines) })

  for (const [name, cases] of Object.entries(differentiable)) {
    it(`${name}, value and gradient`, async () => {
      for (const { inputs, operation } of [cases].flat()) await expectSame(engines, withGradients(operation), inputs)
    })
  }

  for (const [name, cases] of Object.entries(plain)) {
    it(name, async () => {
      for (const { inputs, operation } of [cases].flat()) await expectSame(engines, (tensors) => ({ y: operation(tensors) }), inputs)
    })
  }

  it('needed no kernel of tfjs-cpu', () => {
    expect([...engines.onnx.fallbacks()]).to.deep.equal([])
  })
})
