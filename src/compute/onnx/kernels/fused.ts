/** Kernels of our own that do in a few passes over memory what tfjs' autodiff does in many; see ../../ops.ts and ../../gradients.ts. */
import { elementwise, expand, isSet, operation, operations, scalar, sizeOf } from '../value.ts'
import type { Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { productsOf } from './matmul.ts'
import { add, multiply, same, subtract } from './ops.ts'
import { mean, reduce, sum } from './reduction.ts'

/** Φ(x), the normal distribution function; HardSigmoid is the one ONNX operation that scales and shifts in one pass. */
export function normalShare (x: Value): Value {
  const erf = elementwise('Erf', [multiply(x, same(Math.SQRT1_2, x))], 'float32')
  return elementwise('HardSigmoid', [erf], 'float32', { alpha: { f: 0.5 }, beta: { f: 0.5 } })
}

/** Outcomes of `Gelu`, by the values beneath their inputs. */
const gelus = new WeakMap<Value, Value>()

/** x · Φ(x): one pass over memory. */
function gelu (x: Value): Value {
  const flat = x.base ?? x
  const y = operation('Gelu', [flat], { shape: flat.shape, type: 'float32' }, {}, 'com.microsoft')
  gelus.set(flat, y)
  return y.view(x.shape)
}

/** dy · (Φ(x) + x · φ(x)). Φ(x) then serves what was recorded as `Gelu`, too. */
function geluGradient (dy: Value, x: Value): Value {
  const flat = x.base ?? x
  const share = normalShare(flat)
  const y = gelus.get(flat)
  if (y?.op !== undefined) y.op = { type: 'Mul', domain: '', inputs: [flat, share], attributes: {}, outputs: [y] }
  const scaled = multiply(x, same(Math.SQRT1_2, x))
  const density = elementwise('Exp', [subtract(same(-0.5 * Math.log(2 * Math.PI), x), multiply(scaled, scaled))], 'float32')
  return multiply(dy, add(share.view(x.shape), multiply(x, density)))
}

interface Normalised { readonly y: Value, readonly inverseDeviation: Value }

/** x [rows, n]. */
function normalise (x: Value, scale: Value, shift: Value, epsilon: number): Normalised {
  const result = { shape: [x.shape[0] as number, 1], type: 'float32' as const }
  const settings = { axis: { i: -1 }, epsilon: { f: epsilon } }
  const [y, , inverseDeviation] = operations(
    'LayerNormalization',
    [x, scale, shift],
    [{ shape: x.shape, type: 'float32' }, result, result],
    settings
  ) as [Value, Value, Value]
  return { y, inverseDeviation }
}

function rowsOf (x: Value): Value {
  return x.view([sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) as number])
}

/** Gradients for x, scale and shift. What the graph does not need is not computed. */
function normaliseGradient (gradient: Value, input: Value, scale: Value, epsilon: number): Value[] {
  const [dy, x] = [rowsOf(gradient), rowsOf(input)]
  const one = expand(scalar(1, 'float32'), scale.shape)
  const { y, inverseDeviation } = normalise(x, one, expand(scalar(0, 'float32'), scale.shape), epsilon)
  const weighted = multiply(dy, scale)
  const along = multiply(y, mean(multiply(weighted, y), [1], true))
  const dx = multiply(subtract(subtract(weighted, along), mean(weighted, [1], true)), inverseDeviation)
  return [dx.view(input.shape), sum(multiply(dy, y), [0], false), sum(dy, [0], false)]
}

/** y · (dy − Σ dy · y) along the last axis. */
function softmaxGradient (dy: Value, y: Value): Value {
  return multiply(y, subtract(dy, rowProducts(dy, y)))
}

/**
 * Σ dy · y along the last axis. In attention dy = dO · Vᵀ and O = y · V, so the sum is Σ dO · O: over the head size instead of over
 * all keys.
 */
function rowProducts (dy: Value, y: Value): Value {
  const last = [y.shape.length - 1]
  const [outer, values] = isTransposedProduct(dy) ? dy.op?.inputs ?? [] : []
  const product = productsOf(y).find(({ b }) => b === values)
  if (outer === undefined || product === undefined) return reduce('ReduceSum', multiply(dy, y), last, true)
  return reduce('ReduceSum', multiply(outer, product.result), last, true)
}

function isTransposedProduct ({ op }: Value): boolean {
  return op?.type === 'FusedMatMul' && isSet(op.attributes['transB']) && !isSet(op.attributes['transA'])
}

export const fusedKernels: Kernel[] = [
  kernel<'x'>('Gelu', ({ x }) => gelu(x)),
  kernel<'dy' | 'x'>('GeluGrad', ({ dy, x }) => geluGradient(dy, x)),
  kernel<'x' | 'scale' | 'shift', { epsilon: number }>(
    'LayerNormalization',
    ({ x, scale, shift }, { epsilon }) => normalise(rowsOf(x), scale, shift, epsilon).y.view(x.shape)
  ),
  kernel<'dy' | 'x' | 'scale', { epsilon: number }>(
    'LayerNormalizationGrad',
    ({ dy, x, scale }, { epsilon }) => normaliseGradient(dy, x, scale, epsilon)
  ),
  kernel<'dy' | 'y'>('SoftmaxGrad', ({ dy, y }) => softmaxGradient(dy, y))
]
