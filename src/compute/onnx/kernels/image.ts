import type { ResizeBilinearAttrs, ResizeNearestNeighborAttrs } from '@tensorflow/tfjs-core'
import { constant, operation } from '../value.ts'
import type { Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { matMul } from './matmul.ts'
import { asFloat } from './ops.ts'

type Shape4 = [number, number, number, number]
interface Sampling { readonly alignCorners: boolean, readonly halfPixelCenters: boolean }

/** Where output position `index` lies in the input. */
function source (index: number, size: number, target: number, { alignCorners, halfPixelCenters }: Sampling): number {
  const scale = alignCorners && target > 1 ? (size - 1) / (target - 1) : size / target
  return halfPixelCenters ? (index + 0.5) * scale - 0.5 : index * scale
}

/** The [target, size] matrix of two-tap interpolation along one axis. */
function interpolation (size: number, target: number, sampling: Sampling): Value {
  const weights = new Float32Array(target * size)
  for (let row = 0; row < target; row++) {
    const position = source(row, size, target, sampling)
    const low = Math.min(Math.max(0, Math.floor(position)), size - 1)
    const high = Math.max(0, Math.min(size - 1, Math.ceil(position)))
    const share = position - low
    weights[row * size + low] = (weights[row * size + low] as number) + 1 - share
    weights[row * size + high] = (weights[row * size + high] as number) + share
  }
  return constant(weights, [target, size], 'float32')
}

/** rows · x · columnsᵀ over NHWC images: two products with constant matrices, so that gradients are exact too. */
function sandwich (x: Value, rows: Value, columns: Value, transposed: boolean): Value {
  const [batch, height, width, channels] = x.shape as Shape4
  const extent = (matrix: Value): number => matrix.shape[transposed ? 1 : 0] as number
  const wide = matMul({ a: columns, b: x.view([batch * height, width, channels]), transposeA: transposed, transposeB: false })
  const tall = matMul({ a: rows, b: wide.view([batch, height, extent(columns) * channels]), transposeA: transposed, transposeB: false })
  return tall.view([batch, extent(rows), extent(columns), channels])
}

function bilinear (images: Value, { size, ...sampling }: ResizeBilinearAttrs): Value {
  const [, height, width] = images.shape as Shape4
  return sandwich(asFloat(images), interpolation(height, size[0], sampling), interpolation(width, size[1], sampling), false)
}

function bilinearGradient (images: Value, dy: Value, sampling: Sampling): Value {
  const [, height, width] = images.shape as Shape4
  const [, tall, wide] = dy.shape as Shape4
  return sandwich(dy, interpolation(height, tall, sampling), interpolation(width, wide, sampling), true)
}

function nearest (images: Value, { size, ...sampling }: ResizeNearestNeighborAttrs): Value {
  return size.reduce((image, target, index) => {
    const axis = index + 1
    const extent = image.shape[axis] as number
    const pick = Int32Array.from({ length: target }, (_, row) => nearestRow(row, extent, target, sampling))
    const shape = image.shape.map((length, at) => at === axis ? target : length)
    return operation('Gather', [image, constant(pick, [target], 'int32')], { shape, type: image.type }, { axis: { i: axis } })
  }, images)
}

/** The [target, size] matrix that picks one row for each row of the target. */
function picks (size: number, target: number, sampling: Sampling): Value {
  const matrix = new Float32Array(target * size)
  for (let row = 0; row < target; row++) matrix[row * size + nearestRow(row, size, target, sampling)] = 1
  return constant(matrix, [target, size], 'float32')
}

function nearestGradient (images: Value, dy: Value, sampling: Sampling): Value {
  const [, height, width] = images.shape as Shape4
  const [, tall, wide] = dy.shape as Shape4
  return sandwich(dy, picks(height, tall, sampling), picks(width, wide, sampling), true)
}

function nearestRow (row: number, extent: number, target: number, { alignCorners, halfPixelCenters }: Sampling): number {
  const scale = alignCorners && target > 1 ? (extent - 1) / (target - 1) : extent / target
  const position = halfPixelCenters ? scale * (row + 0.5) : scale * row
  return Math.max(0, Math.min(extent - 1, alignCorners ? Math.round(position) : Math.floor(position)))
}

export const imageKernels: Kernel[] = [
  kernel<'images', ResizeBilinearAttrs>('ResizeBilinear', ({ images }, attributes) => bilinear(images, attributes)),
  kernel<'images' | 'dy', ResizeBilinearAttrs>(
    'ResizeBilinearGrad',
    ({ images, dy }, attributes) => bilinearGradient(images, dy, attributes)
  ),
  kernel<'images', ResizeNearestNeighborAttrs>('ResizeNearestNeighbor', ({ images }, attributes) => nearest(images, attributes)),
  kernel<'images' | 'dy', ResizeNearestNeighborAttrs>(
    'ResizeNearestNeighborGrad',
    ({ images, dy }, { alignCorners, halfPixelCenters = false }) => nearestGradient(images, dy, { alignCorners, halfPixelCenters })
  ),
  kernel<'image'>('FlipLeftRight', ({ image }) => flip(image))
]

function flip (image: Value): Value {
  const [, , width] = image.shape as Shape4
  const backwards = constant(Int32Array.from({ length: width }, (_, column) => width - 1 - column), [width], 'int32')
  return operation('Gather', [image, backwards], { shape: image.shape, type: image.type }, { axis: { i: 2 } })
}
