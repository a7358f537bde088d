/** Normalisation over batches and over neighbouring channels. */
import type { FusedBatchNormAttrs, LRNAttrs, LRNGradAttrs } from '@tensorflow/tfjs-core'
import { constant, elementwise, scalar } from '../value.ts'
import type { Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { matMul } from './matmul.ts'
import { add, divide, multiply, subtract } from './ops.ts'

type BatchNormInputs = Readonly<Record<'x' | 'mean' | 'variance', Value> & Partial<Record<'scale' | 'offset', Value>>>

function batchNorm ({ x, mean, variance, scale, offset }: BatchNormInputs, varianceEpsilon: number | null | undefined): Value {
  for (const other of [variance, offset, scale]) {
    if (other !== undefined && other.shape.length !== mean.shape.length) {
      throw new Error('batchNorm takes mean, variance, offset and scale of equal ranks')
    }
  }
  const deviation = elementwise('Sqrt', [add(variance, scalar(varianceEpsilon ?? 0.001, 'float32'))], 'float32')
  const normal = divide(subtract(x, mean), deviation)
  const scaled = scale === undefined ? normal : multiply(normal, scale)
  return offset === undefined ? scaled : add(scaled, offset)
}

/** bias + alpha · Σ over up to `depthRadius` channels on either side, as a product with a band matrix. */
function overNeighbours (x: Value, depthRadius: number): Value {
  const channels = x.shape.at(-1) as number
  const band = Float32Array.from(
    { length: channels * channels },
    (_, index) => Number(Math.abs(Math.floor(index / channels) - index % channels) <= depthRadius)
  )
  return matMul({ a: x, b: constant(band, [channels, channels], 'float32'), transposeA: false, transposeB: false })
}

function norm (x: Value, { depthRadius, bias, alpha }: LRNAttrs): Value {
  return add(multiply(overNeighbours(multiply(x, x), depthRadius), scalar(alpha, 'float32')), scalar(bias, 'float32'))
}

function power (x: Value, exponent: number): Value {
  return elementwise('Pow', [x, scalar(exponent, 'float32')], 'float32')
}

function localGradient (x: Value, y: Value, dy: Value, attributes: LRNGradAttrs): Value {
  const { depthRadius, alpha, beta } = attributes
  const size = norm(x, attributes)
  const others = overNeighbours(divide(multiply(y, dy), size), depthRadius)
  return subtract(multiply(dy, power(size, -beta)), multiply(multiply(x, others), scalar(2 * alpha * beta, 'float32')))
}

export const normalisationKernels: Kernel[] = [
  kernel<'x' | 'mean' | 'variance' | 'scale' | 'offset', FusedBatchNormAttrs>(
    'FusedBatchNorm',
    (inputs, { varianceEpsilon }) => batchNorm(inputs, varianceEpsilon)
  ),
  kernel<'x', LRNAttrs>('LRN', ({ x }, attributes) => multiply(x, power(norm(x, attributes), -attributes.beta))),
  kernel<'x' | 'y' | 'dy', LRNGradAttrs>('LRNGrad', ({ x, y, dy }, attributes) => localGradient(x, y, dy, attributes))
]
