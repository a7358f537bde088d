import { backend_util as backendUtil } from '@tensorflow/tfjs-core'
import type { AvgPool3DAttrs, AvgPoolAttrs, MaxPoolWithArgmaxAttrs } from '@tensorflow/tfjs-core'
import { constant, expand, int64s, operation, operations, scalar, sameShape, sizeOf } from '../value.ts'
import type { Attributes, ElementType, Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { add, asFloat, cast, divide, isNaNs, multiply, same, subtract, where } from './ops.ts'
import {
  after,
  axesOf2d,
  axesOf3d,
  channelsFirst,
  channelsLast,
  counts,
  inputGradient,
  pads,
  strides,
  trim,
  trimmed,
  untrimmed,
  windowSize
} from './windows.ts'
import type { Axis } from './windows.ts'

interface Pool { readonly axes: readonly Axis[], readonly identity: boolean }
type Describe<Attrs> = (shape: readonly number[], attributes: Attrs) => Pool

const plane: Describe<AvgPoolAttrs> = (shape, { filterSize, strides: steps, pad, dimRoundingMode }) => {
  const info = backendUtil.computePool2DInfo(shape as [number, number, number, number], filterSize, steps, 1, pad, dimRoundingMode)
  return { axes: axesOf2d(info), identity: info.filterHeight === 1 && info.filterWidth === 1 && sameShape(info.inShape, info.outShape) }
}

const volume: Describe<AvgPool3DAttrs> = (shape, { filterSize, strides: steps, pad, dimRoundingMode, dataFormat }) => {
  const info = backendUtil.computePool3DInfo(
    shape as [number, number, number, number, number],
    filterSize,
    steps,
    1,
    pad,
    dimRoundingMode,
    dataFormat
  )
  return { axes: axesOf3d(info), identity: false }
}

function settings (axes: readonly Axis[]): Attributes {
  return { kernel_shape: { ints: axes.map(({ filter }) => filter) }, strides: strides(axes), pads: pads(axes) }
}

function outShape (x: Value, axes: readonly Axis[]): number[] {
  return [...x.shape.slice(0, 2), ...axes.map(({ out }) => out)]
}

/** ONNX Runtime refuses windows that lie in the padding altogether: then the padding becomes part of the input. */
function padded (x: Value, axes: readonly Axis[], filling: number): [Value, readonly Axis[]] {
  if (axes.every((axis) => axis.before < axis.filter && after(axis) < axis.filter)) return [x, axes]
  const shape = [...x.shape.slice(0, 2), ...axes.map((axis) => axis.before + axis.size + after(axis))]
  const zeros = int64s([0, 0, ...axes.map(({ before }) => before), 0, 0, ...axes.map(after)])
  const larger = operation('Pad', [x, zeros, same(filling, x)], { shape, type: x.type }, { mode: { s: 'constant' } })
  return [larger, axes.map((axis) => ({ ...axis, size: axis.before + axis.size + after(axis), before: 0 }))]
}

function largest (x: Value, pool: readonly Axis[]): { values: Value, indices: Value, source: Value, axes: readonly Axis[] } {
  const [source, axes] = padded(x, pool, -Infinity)
  const shape = outShape(x, axes)
  const results: Array<{ shape: number[], type: ElementType }> = [{ shape, type: 'float32' }, { shape, type: 'int64' }]
  const [values, indices] = operations('MaxPool', [source], results, settings(axes)) as [Value, Value]
  return { values, indices, source, axes }
}

function maximum (input: Value, { axes: windows, identity }: Pool): Value {
  if (identity) return input
  const axes = trim(windows)
  const [x, padding] = padded(trimmed(channelsFirst(asFloat(input)), windows), axes, -Infinity)
  return cast(channelsLast(operation('MaxPool', [x], { shape: outShape(x, axes), type: 'float32' }, settings(padding))), input.type)
}

function mean (input: Value, { axes: windows, identity }: Pool): Value {
  if (identity) return input
  const [x, axes] = [trimmed(channelsFirst(asFloat(input)), windows), trim(windows)]
  const [source, padding] = padded(x, axes, 0)
  // The factor before, not after: ONNX Runtime would merge a Pad right before the pooling into it.
  const scaled = source === x ? x : multiply(source, scalar(windowSize(axes), 'float32'))
  const average = operation('AveragePool', [scaled], { shape: outShape(x, axes), type: 'float32' }, settings(padding))
  const result = source === x ? average : divide(average, countsOf(axes))
  return cast(channelsLast(result), input.type)
}

function countsOf (axes: readonly Axis[]): Value {
  return constant(counts(axes).map((count) => Math.max(1, count)), [1, 1, ...axes.map(({ out }) => out)], 'float32')
}

/**
 * As in tfjs' own backends and its tests, by the size of the whole window even where part of it is padding, which the forward mean
 * leaves out.
 */
function meanGradient (dy: Value, { axes }: Pool): Value {
  const share = divide(channelsFirst(dy), scalar(windowSize(axes), 'float32'))
  const channels = share.shape[1] as number
  const ones = expand(scalar(1, 'float32'), [channels, 1, ...axes.map(({ filter }) => filter)])
  return channelsLast(inputGradient(share, ones, axes, channels))
}

/** To the first of equal numbers in a window. */
function maximumGradient (dy: Value, input: Value, { axes: windows }: Pool): Value {
  const [x, axes] = [trimmed(channelsFirst(asFloat(input)), windows), trim(windows)]
  const { indices, source, axes: padding } = largest(x, axes)
  const places = [source.size]
  const zeros = expand(scalar(0, 'float32'), places)
  const flat = operation('ScatterElements', [zeros, indices.view([indices.size]), channelsFirst(dy).view([dy.size])], {
    shape: places,
    type: 'float32'
  }, { axis: { i: 0 }, reduction: { s: 'add' } })
  return channelsLast(untrimmed(cropped(flat.view(source.shape), x, axes, padding), windows))
}

function cropped (gradient: Value, x: Value, axes: readonly Axis[], padding: readonly Axis[]): Value {
  if (axes === padding) return gradient
  const starts = axes.map(({ before }) => before)
  const bounds = [starts, axes.map(({ before, size }) => before + size), axes.map((_, axis) => axis + 2)].map(int64s)
  return operation('Slice', [gradient, ...bounds], { shape: x.shape, type: 'float32' })
}

/** The largest numbers and where they lie in the input [batch, height, width, channels], flat. */
function withPlaces (input: Value, attributes: MaxPoolWithArgmaxAttrs): Value[] {
  if (input.shape.length !== 4) throw new Error(`maxPoolWithArgmax takes tensors of rank 4, not [${input.shape.join()}]`)
  const { axes } = plane(input.shape, attributes)
  const numbers = asFloat(input)
  const { values, indices, source } = largest(channelsFirst(where(isNaNs(numbers), same(-Infinity, numbers), numbers)), axes)
  if (source.shape.slice(2).some((extent, axis) => extent !== axes[axis]?.size)) {
    throw new Error('maxPoolWithArgmax needs windows that are larger than the padding')
  }
  const [batch, channels] = source.shape as [number, number]
  const area = sizeOf(source.shape.slice(2))
  const per = (shape: number[], number: (index: number) => number): Value =>
    constant(Int32Array.from({ length: sizeOf(shape) }, (_, index) => number(index)), shape, 'int32')
  const inPlane = subtract(cast(indices, 'int32'), per([batch, channels, 1, 1], (index) => index * area))
  const flat = add(multiply(inPlane, same(channels, inPlane)), per([1, channels, 1, 1], (channel) => channel))
  const shifted = attributes.includeBatchInIndex ? add(flat, per([batch, 1, 1, 1], (index) => index * area * channels)) : flat
  return [cast(channelsLast(values), input.type), channelsLast(shifted)]
}

export const poolingKernels: Kernel[] = [
  kernel<'x', AvgPoolAttrs>('MaxPool', ({ x }, attributes) => maximum(x, plane(x.shape, attributes))),
  kernel<'x', AvgPoolAttrs>('AvgPool', ({ x }, attributes) => mean(x, plane(x.shape, attributes))),
  kernel<'dy' | 'input', AvgPoolAttrs>(
    'MaxPoolGrad',
    ({ dy, input }, attributes) => maximumGradient(dy, input, plane(input.shape, attributes))
  ),
  kernel<'dy' | 'input', AvgPoolAttrs>('AvgPoolGrad', ({ dy, input }, attributes) => meanGradient(dy, plane(input.shape, attributes))),
  kernel<'x', MaxPoolWithArgmaxAttrs>('MaxPoolWithArgmax', ({ x }, attributes) => withPlaces(x, attributes)),
  kernel<'x', AvgPool3DAttrs>('MaxPool3D', ({ x }, attributes) => maximum(x, volume(x.shape, attributes))),
  kernel<'x', AvgPool3DAttrs>('AvgPool3D', ({ x }, attributes) => mean(x, volume(x.shape, attributes))),
  kernel<'dy' | 'input', AvgPool3DAttrs>(
    'MaxPool3DGrad',
    ({ dy, input }, attributes) => maximumGradient(dy, input, volume(input.shape, attributes))
  ),
  kernel<'dy' | 'input', AvgPool3DAttrs>('AvgPool3DGrad', ({ dy, input }, attributes) => meanGradient(dy, volume(input.shape, attributes)))
]
