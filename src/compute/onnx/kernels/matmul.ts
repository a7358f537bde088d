import { backend_util as backendUtil } from '@tensorflow/tfjs-core'
import type { _FusedMatMulAttrs, BatchMatMulAttrs, EinsumAttrs } from '@tensorflow/tfjs-core'
import { broadcastShape, elementwise, operation, sizeOf } from '../value.ts'
import type { Attributes, Value } from '../value.ts'
import { kernel, listKernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { add, asFloat, cast, compare, multiply, same, transpose, where } from './ops.ts'

interface Product {
  readonly a: Value
  readonly b: Value
  readonly transposeA: boolean
  readonly transposeB: boolean
  /** Added to every row; broadcasts to the product. */
  readonly bias?: Value
}

function batchOf (value: Value): readonly number[] {
  return value.shape.slice(0, -2)
}

function sides (value: Value, transposed: boolean): [rows: number, columns: number] {
  const [rows, columns] = value.shape.slice(-2) as [number, number]
  return transposed ? [columns, rows] : [rows, columns]
}

/** a · b over broadcast batches; transposed operands are read as they lie, without a copy. */
export function matMul (product: Product): Value {
  const { a, b, transposeA, transposeB, bias } = product
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new Error(`matMul takes tensors of rank 2 and more, not [${a.shape.join()}] and [${b.shape.join()}]`)
  }
  if (a.type !== 'float32') return cast(matMul({ ...product, a: asFloat(a), b: asFloat(b) }), a.type)
  const [rows, inner] = sides(a, transposeA)
  const [height, columns] = sides(b, transposeB)
  if (inner !== height) {
    throw new Error(
      `matMul: the shapes [${a.shape.join()}] and [${b.shape.join()}] with transposeA=${transposeA} and transposeB=${transposeB} ` +
        `have ${inner} and ${height} as inner dimensions`
    )
  }
  const batch = broadcastShape([batchOf(a), batchOf(b)])
  const shape = [...batch, rows, columns]
  if (sizeOf(batchOf(b)) === 1 && (!transposeA || sizeOf(batchOf(a)) === 1)) {
    const flat = {
      a: a.view(transposeA ? [inner, rows] : [sizeOf(a.shape) / inner, inner]),
      b: b.view(b.shape.slice(-2)),
      transposeA,
      transposeB
    }
    const fits = bias === undefined ? {} : gemmBias(bias, sizeOf(shape) / columns, columns)
    return withBias(gemm({ ...flat, ...fits }).view(shape), 'bias' in fits ? undefined : bias)
  }
  return withBias(batched(product, shape), bias)
}

/** A bias that Gemm adds itself: one for all rows, or a row each. */
function gemmBias (bias: Value, rows: number, columns: number): { readonly bias?: Value } {
  if (bias.size === columns) return { bias: bias.view([columns]) }
  return bias.size === rows * columns ? { bias: bias.view([rows, columns]) } : {}
}

function withBias (product: Value, bias: Value | undefined): Value {
  return bias === undefined ? product : add(product, bias)
}

function batched ({ a, b, transposeA, transposeB }: Product, shape: number[]): Value {
  const [inner, rows] = a.shape.slice(-2) as [number, number]
  const columns = shape.at(-1) as number
  if (transposeA && !transposeB && columns <= narrowHead && rows >= 4 * columns && inner >= columns) {
    const swap = [...shape.keys()].slice(0, -2).concat(shape.length - 1, shape.length - 2)
    return transpose(batched({ a: b, b: a, transposeA: true, transposeB: false }, [...shape.slice(0, -2), columns, rows]), swap)
  }
  const flags: Attributes = { transA: { i: Number(transposeA) }, transB: { i: Number(transposeB) } }
  if (transposeA || transposeB) return operation('FusedMatMul', [a, b], { shape, type: 'float32' }, flags, 'com.microsoft')
  return remember(a, b, operation('MatMul', [a, b], { shape, type: 'float32' }))
}

interface PlainProduct { readonly b: Value, readonly result: Value }

const products = new WeakMap<Value, PlainProduct[]>()

/** The batched products a · b, none transposed, recorded so far: gradients use them again. */
export function productsOf (a: Value): readonly PlainProduct[] {
  return products.get(a) ?? []
}

function remember (a: Value, b: Value, result: Value): Value {
  products.set(a, [...productsOf(a), { b, result }])
  return result
}

/** Products with at most this many columns and far more rows are computed transposed: the other way their rows are too short to be fast. */
const fewColumns = 16
/**
 * The same of batches of them where the sums are long, too: a quarter less time for windows of 196 tokens with heads of 32 numbers, none
 * for heads of 64.
 */
const narrowHead = 32

function gemm ({ a, b, transposeA, transposeB, bias }: Product): Value {
  const [rows, columns] = [sides(a, transposeA)[0], sides(b, transposeB)[1]]
  if (transposeA && !transposeB && bias === undefined && columns <= fewColumns && rows >= 4 * columns) {
    return transpose(gemm({ a: b, b: a, transposeA: true, transposeB: false }), [1, 0])
  }
  const result = { shape: [rows, columns], type: 'float32' as const }
  if (!transposeA && !transposeB && bias === undefined) return operation('MatMul', [a, b], result)
  return operation('Gemm', [a, b, bias], result, { transA: { i: Number(transposeA) }, transB: { i: Number(transposeB) } })
}

/** tfjs' fused activations. */
export function activate (x: Value, activation: string, weights: Value | undefined, slope: number): Value {
  const negative = (): Value => compare('Less', x, same(0, x))
  switch (activation) {
    case 'linear': return x
    case 'relu': return elementwise('Relu', [x], x.type)
    case 'relu6': return elementwise('Min', [elementwise('Relu', [x], x.type), same(6, x)], x.type)
    case 'sigmoid': return elementwise('Sigmoid', [x], x.type)
    case 'elu': return elementwise('Elu', [x], x.type)
    case 'leakyrelu': return where(negative(), multiply(x, same(slope, x)), x)
    case 'prelu': return where(negative(), multiply(x, weights as Value), x)
    default: throw new Error(`the onnx backend does not know the activation ${activation}: apply it after the product`)
  }
}

function fused (inputs: Product & { preluActivationWeights?: Value }, { activation, leakyreluAlpha }: _FusedMatMulAttrs): Value {
  return activate(matMul(inputs), activation, inputs.preluActivationWeights, leakyreluAlpha ?? 0)
}

function einsum (operands: readonly Value[], equation: string): Value {
  const { allDims, idDims } = backendUtil.decodeEinsumEquation(equation, operands.length)
  const tensors = operands.map(({ shape }) => ({ shape, rank: shape.length }))
  backendUtil.checkEinsumDimSizes(allDims.length, idDims, tensors as never)
  const extents = new Map(
    idDims.flatMap((dims, operand) =>
      dims.map((dim, axis): [string, number] => [allDims[dim] as string, operands[operand]?.shape[axis] as number])
    )
  )
  const labels = equation.slice(equation.lastIndexOf('>') + 1).trim()
  const type = operands[0]?.type as Value['type']
  return operation('Einsum', operands, { shape: Array.from(labels, (label) => extents.get(label) as number), type }, {
    equation: { s: equation }
  })
}

export const matmulKernels: Kernel[] = [
  listKernel<EinsumAttrs>('Einsum', (operands, { equation }) => einsum(operands, equation)),
  kernel<'a' | 'b', BatchMatMulAttrs>('BatchMatMul', ({ a, b }, { transposeA, transposeB }) => matMul({ a, b, transposeA, transposeB })),
  kernel<'a' | 'b' | 'bias' | 'preluActivationWeights', _FusedMatMulAttrs>('_FusedMatMul', (inputs, attributes) =>
    fused({ ...inputs, transposeA: attributes.transposeA, transposeB: attributes.transposeB }, attributes))
]
