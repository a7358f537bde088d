import { backend_util as backendUtil } from '@tensorflow/tfjs-core'
import type { AvgPoolAttrs, Conv2DAttrs, Conv2DBackpropFilterAttrs, Conv2DBackpropInputAttrs, DepthwiseConv2dNativeAttrs, FusedConv2DAttrs, MaxPoolAttrs } from '@tensorflow/tfjs-core'
import { operation, sameShape } from '../value.ts'
import type { Attributes, Value } from '../value.ts'
import { add, slice, transpose } from './ops.ts'
import { activate } from './matmul.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'

type Shape4 = [number, number, number, number]
type Info = ReturnType<typeof backendUtil.computeConv2DInfo>
type Geometry = Pick<Conv2DAttrs, 'strides' | 'pad' | 'dataFormat' | 'dimRoundingMode'> & { dilations: [number, number] | number }

function describe (input: readonly number[], filter: readonly number[], { strides, pad, dataFormat, dilations, dimRoundingMode }: Geometry, perChannel = false): Info {
  return backendUtil.computeConv2DInfo(input as Shape4, filter as Shape4, strides, dilations, pad, dimRoundingMode, perChannel, backendUtil.convertConv2DDataFormat(dataFormat))
}

function toNchw (x: Value, info: Info): Value {
  return info.dataFormat === 'channelsFirst' ? x : transpose(x, [0, 3, 1, 2])
}

function fromNchw (x: Value, info: Info): Value {
  return info.dataFormat === 'channelsFirst' ? x : transpose(x, [0, 2, 3, 1])
}

/** The pads that make the windows fit `outHeight` × `outWidth` exactly; what the strides do not reach is cut off by a smaller end pad. */
function pads (info: Info): number[] {
  const { top, left } = info.padInfo
  const bottom = (info.outHeight - 1) * info.strideHeight + info.effectiveFilterHeight - info.inHeight - top
  const right = (info.outWidth - 1) * info.strideWidth + info.effectiveFilterWidth - info.inWidth - left
  return [top, left, Math.max(0, bottom), Math.max(0, right)]
}

function window (info: Info): Attributes {
  return {
    strides: { ints: [info.strideHeight, info.strideWidth] },
    pads: { ints: pads(info) },
    dilations: { ints: [info.dilationHeight, info.dilationWidth] }
  }
}

function convolve (x: Value, filter: Value, geometry: Geometry): Value {
  const info = describe(x.shape, filter.shape, geometry)
  const result = { shape: [info.batchSize, info.outChannels, info.outHeight, info.outWidth], type: 'float32' as const }
  const group = info.inChannels / (filter.shape[2] as number)
  const attributes = { ...window(info), group: { i: group } }
  return fromNchw(operation('Conv', [toNchw(x, info), transpose(filter, [3, 2, 0, 1])], result, attributes), info)
}

function depthwise (x: Value, filter: Value, attributes: DepthwiseConv2dNativeAttrs): Value {
  const info = describe(x.shape, filter.shape, { ...attributes, dataFormat: 'NHWC', dilations: attributes.dilations ?? 1 }, true)
  const [height, width, channels, multiplier] = filter.shape as Shape4
  const kernels = transpose(filter, [2, 3, 0, 1]).view([channels * multiplier, 1, height, width])
  const result = { shape: [info.batchSize, info.outChannels, info.outHeight, info.outWidth], type: 'float32' as const }
  return fromNchw(operation('Conv', [toNchw(x, info), kernels], result, { ...window(info), group: { i: channels } }), info)
}

function inputGradient (gradient: Value, filter: Value, attributes: Conv2DBackpropInputAttrs): Value {
  const info = describe(attributes.inputShape, filter.shape, { ...attributes, dilations: 1 })
  // A gradient larger than the convolution's output is cut, as tfjs' own backends do.
  const dy = slice(gradient, { begin: [0, 0, 0, 0], end: info.outShape, strides: [1, 1, 1, 1] })
  const [top, left, bottom, right] = pads(info) as Shape4
  const reach = (out: number, stride: number, size: number): number => (out - 1) * stride + size
  const extra = [info.inHeight + top + bottom - reach(info.outHeight, info.strideHeight, info.filterHeight), info.inWidth + left + right - reach(info.outWidth, info.strideWidth, info.filterWidth)]
  const result = { shape: [info.batchSize, info.inChannels, info.inHeight, info.inWidth], type: 'float32' as const }
  const settings: Attributes = { strides: { ints: [info.strideHeight, info.strideWidth] }, pads: { ints: [top, left, bottom, right] }, output_padding: { ints: extra } }
  return fromNchw(operation('ConvTranspose', [toNchw(dy, info), transpose(filter, [3, 2, 0, 1])], result, settings), info)
}

/** A convolution with batch and channels swapped, in which the forward stride is the dilation. */
function filterGradient (x: Value, dy: Value, attributes: Conv2DBackpropFilterAttrs): Value {
  const info = describe(x.shape, attributes.filterShape, { ...attributes, dilations: 1 })
  const first = info.dataFormat === 'channelsFirst'
  const images = transpose(x, first ? [1, 0, 2, 3] : [3, 0, 1, 2])
  const errors = transpose(dy, first ? [1, 0, 2, 3] : [3, 0, 1, 2])
  const settings: Attributes = { dilations: { ints: [info.strideHeight, info.strideWidth] }, pads: { ints: pads(info) } }
  const [top, left, bottom, right] = pads(info) as Shape4
  // Rows and columns that the strides never reached lengthen this result beyond the filter.
  const height = info.inHeight + top + bottom - (info.outHeight - 1) * info.strideHeight
  const width = info.inWidth + left + right - (info.outWidth - 1) * info.strideWidth
  const full = operation('Conv', [images, errors], { shape: [info.inChannels, info.outChannels, height, width], type: 'float32' }, settings)
  return transpose(crop(full, info), [2, 3, 0, 1])
}

function crop (x: Value, { filterHeight, filterWidth }: Info): Value {
  const [inputs, outputs] = x.shape as Shape4
  return slice(x, { begin: [0, 0, 0, 0], end: [inputs, outputs, filterHeight, filterWidth], strides: [1, 1, 1, 1] })
}

function pool (type: string, x: Value, { filterSize, strides, pad, dimRoundingMode }: MaxPoolAttrs): Value {
  const info = backendUtil.computePool2DInfo(x.shape as Shape4, filterSize, strides, 1, pad, dimRoundingMode)
  if (info.filterHeight === 1 && info.filterWidth === 1 && sameShape(info.inShape, info.outShape)) return x
  const result = { shape: [info.batchSize, info.inChannels, info.outHeight, info.outWidth], type: 'float32' as const }
  const settings: Attributes = {
    kernel_shape: { ints: [info.filterHeight, info.filterWidth] },
    strides: { ints: [info.strideHeight, info.strideWidth] },
    pads: { ints: pads(info) }
  }
  return fromNchw(operation(type, [toNchw(x, info)], result, settings), info)
}

function fused (inputs: Record<'x' | 'filter' | 'bias' | 'preluActivationWeights', Value>, attributes: FusedConv2DAttrs): Value {
  const perChannel = (value: Value): Value => attributes.dataFormat === 'NCHW' && value.shape.length === 1 && value.size !== 1 ? value.view([value.size, 1, 1]) : value
  const sum = convolve(inputs.x, inputs.filter, attributes)
  const biased = inputs.bias === undefined ? sum : add(sum, perChannel(inputs.bias))
  const weights = inputs.preluActivationWeights
  return activate(biased, attributes.activation, weights === undefined ? undefined : perChannel(weights), attributes.leakyreluAlpha ?? 0)
}

export const convolutionKernels: Kernel[] = [
  kernel<'x' | 'filter', Conv2DAttrs>('Conv2D', ({ x, filter }, attributes) => convolve(x, filter, attributes)),
  kernel<'x' | 'filter', DepthwiseConv2dNativeAttrs>('DepthwiseConv2dNative', ({ x, filter }, attributes) => depthwise(x, filter, attributes)),
  kernel<'dy' | 'filter', Conv2DBackpropInputAttrs>('Conv2DBackpropInput', ({ dy, filter }, attributes) => inputGradient(dy, filter, attributes)),
  kernel<'x' | 'dy', Conv2DBackpropFilterAttrs>('Conv2DBackpropFilter', ({ x, dy }, attributes) => filterGradient(x, dy, attributes)),
  kernel<'x' | 'filter' | 'bias' | 'preluActivationWeights', FusedConv2DAttrs>('FusedConv2D', fused),
  kernel<'x', MaxPoolAttrs>('MaxPool', ({ x }, attributes) => pool('MaxPool', x, attributes)),
  kernel<'x', AvgPoolAttrs>('AvgPool', ({ x }, attributes) => pool('AveragePool', x, attributes))
]
