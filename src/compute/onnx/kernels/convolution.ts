import { backend_util as backendUtil } from '@tensorflow/tfjs-core'
import type {
  Conv2DAttrs,
  Conv2DBackpropFilterAttrs,
  Conv2DBackpropInputAttrs,
  Conv3DAttrs,
  Conv3DBackpropFilterV2Attrs,
  Conv3DBackpropInputV2Attrs,
  FusedConv2DAttrs
} from '@tensorflow/tfjs-core'
import type { Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { activate } from './matmul.ts'
import { add, asFloat, slice, transpose } from './ops.ts'
import { axesOf2d, axesOf3d, channelsFirst, channelsLast, convolve, filterGradient, inputGradient } from './windows.ts'

type Shape4 = [number, number, number, number]
type Shape5 = [number, number, number, number, number]
type Info = backendUtil.Conv2DInfo
type Geometry = Pick<Conv2DAttrs, 'strides' | 'pad' | 'dataFormat' | 'dimRoundingMode'> & { dilations: [number, number] | number }

function describe (
  input: readonly number[],
  filter: readonly number[],
  { strides, pad, dataFormat, dilations, dimRoundingMode }: Geometry
): Info {
  return backendUtil.computeConv2DInfo(
    input as Shape4,
    filter as Shape4,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    false,
    backendUtil.convertConv2DDataFormat(dataFormat)
  )
}

function toNchw (x: Value, info: Info): Value {
  return info.dataFormat === 'channelsFirst' ? asFloat(x) : channelsFirst(asFloat(x))
}

function fromNchw (x: Value, info: Info): Value {
  return info.dataFormat === 'channelsFirst' ? x : channelsLast(x)
}

/** [height, width, in, out] → [out, in, height, width] and back. */
const toFilter = (filter: Value): Value => transpose(asFloat(filter), [3, 2, 0, 1])
const fromFilter = (filter: Value): Value => transpose(filter, [2, 3, 1, 0])

function convolve2d (x: Value, filter: Value, geometry: Geometry): Value {
  const info = describe(x.shape, filter.shape, geometry)
  return fromNchw(convolve(toNchw(x, info), toFilter(filter), axesOf2d(info), info.inChannels / (filter.shape[2] as number)), info)
}

function inputGradient2d (gradient: Value, filter: Value, attributes: Conv2DBackpropInputAttrs): Value {
  const info = describe(attributes.inputShape, filter.shape, { ...attributes, dilations: 1 })
  // A gradient larger than the convolution's output is cut, as tfjs' own backends do.
  const dy = slice(gradient, { begin: [0, 0, 0, 0], end: info.outShape, strides: [1, 1, 1, 1] })
  return fromNchw(inputGradient(toNchw(dy, info), toFilter(filter), axesOf2d(info), 1), info)
}

function filterGradient2d (x: Value, dy: Value, attributes: Conv2DBackpropFilterAttrs): Value {
  const info = describe(x.shape, attributes.filterShape, { ...attributes, dilations: 1 })
  return fromFilter(filterGradient(toNchw(x, info), toNchw(dy, info), axesOf2d(info), false))
}

/** [depth, height, width, in, out] → [out, in, depth, height, width] and back. */
const toFilter3d = (filter: Value): Value => transpose(filter, [4, 3, 0, 1, 2])
const fromFilter3d = (filter: Value): Value => transpose(filter, [2, 3, 4, 1, 0])

function describe3d (
  input: readonly number[],
  filter: readonly number[],
  { strides, pad, dilations = 1 }: Pick<Conv3DAttrs, 'strides' | 'pad'> & Partial<Conv3DAttrs>
): ReturnType<typeof axesOf3d> {
  return axesOf3d(backendUtil.computeConv3DInfo(input as Shape5, filter as Shape5, strides, dilations, pad))
}

function fused (inputs: Record<'x' | 'filter' | 'bias' | 'preluActivationWeights', Value>, attributes: FusedConv2DAttrs): Value {
  const perChannel = (value: Value): Value =>
    attributes.dataFormat === 'NCHW' && value.shape.length === 1 && value.size !== 1 ? value.view([value.size, 1, 1]) : value
  const sum = convolve2d(inputs.x, inputs.filter, attributes)
  const biased = inputs.bias === undefined ? sum : add(sum, perChannel(inputs.bias))
  const weights = inputs.preluActivationWeights
  return activate(biased, attributes.activation, weights === undefined ? undefined : perChannel(weights), attributes.leakyreluAlpha ?? 0)
}

export const convolutionKernels: Kernel[] = [
  kernel<'x' | 'filter', Conv2DAttrs>('Conv2D', ({ x, filter }, attributes) => convolve2d(x, filter, attributes)),
  kernel<'dy' | 'filter', Conv2DBackpropInputAttrs>(
    'Conv2DBackpropInput',
    ({ dy, filter }, attributes) => inputGradient2d(dy, filter, attributes)
  ),
  kernel<'x' | 'dy', Conv2DBackpropFilterAttrs>('Conv2DBackpropFilter', ({ x, dy }, attributes) => filterGradient2d(x, dy, attributes)),
  kernel<'x' | 'filter' | 'bias' | 'preluActivationWeights', FusedConv2DAttrs>('FusedConv2D', fused),
  kernel<'x' | 'filter', Conv3DAttrs>('Conv3D', ({ x, filter }, attributes) =>
    channelsLast(convolve(channelsFirst(x), toFilter3d(filter), describe3d(x.shape, filter.shape, attributes), 1))),
  kernel<'dy' | 'filter', Conv3DBackpropInputV2Attrs>('Conv3DBackpropInputV2', ({ dy, filter }, attributes) =>
    channelsLast(inputGradient(channelsFirst(dy), toFilter3d(filter), describe3d(attributes.inputShape, filter.shape, attributes), 1))),
  kernel<'x' | 'dy', Conv3DBackpropFilterV2Attrs>('Conv3DBackpropFilterV2', ({ x, dy }, attributes) =>
    fromFilter3d(filterGradient(channelsFirst(x), channelsFirst(dy), describe3d(x.shape, attributes.filterShape, attributes), false)))
]
