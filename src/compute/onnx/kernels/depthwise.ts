/** Convolutions of every channel on its own. */
import { backend_util as backendUtil } from '@tensorflow/tfjs-core'
import type {
  DepthwiseConv2dNativeAttrs,
  DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInputAttrs,
  FusedDepthwiseConv2DAttrs
} from '@tensorflow/tfjs-core'
import { sizeOf } from '../value.ts'
import type { Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { activate } from './matmul.ts'
import { add, transpose } from './ops.ts'
import { axesOf2d, channelsFirst, channelsLast, convolve, filterGradient, inputGradient } from './windows.ts'
import type { Axis } from './windows.ts'

type Shape4 = [number, number, number, number]

function describe (
  input: readonly number[],
  filter: readonly number[],
  { strides, pad, dilations, dimRoundingMode }: Omit<DepthwiseConv2dNativeAttrs, 'dataFormat'>
): Axis[] {
  return axesOf2d(backendUtil.computeConv2DInfo(input as Shape4, filter as Shape4, strides, dilations ?? 1, pad, dimRoundingMode, true))
}

/** [height, width, channels, multiplier] → [channels · multiplier, 1, height, width] */
function toFilter (filter: Value): Value {
  const [height, width, channels, multiplier] = filter.shape as Shape4
  return transpose(filter, [2, 3, 0, 1]).view([channels * multiplier, 1, height, width])
}

function depthwise (x: Value, filter: Value, attributes: DepthwiseConv2dNativeAttrs, bias?: Value): Value {
  const axes = describe(x.shape, filter.shape, attributes)
  return channelsLast(convolve(channelsFirst(x), toFilter(filter), axes, x.shape[3] as number, bias))
}

function forInput (dy: Value, filter: Value, attributes: DepthwiseConv2dNativeBackpropInputAttrs): Value {
  const axes = describe(attributes.inputShape, filter.shape, attributes)
  return channelsLast(inputGradient(channelsFirst(dy), toFilter(filter), axes, attributes.inputShape[3]))
}

function forFilter (x: Value, dy: Value, attributes: DepthwiseConv2dNativeBackpropFilterAttrs): Value {
  const [height, width, channels, multiplier] = attributes.filterShape
  const gradient = filterGradient(channelsFirst(x), channelsFirst(dy), describe(x.shape, attributes.filterShape, attributes), true)
  return transpose(gradient.view([channels, multiplier, height, width]), [2, 3, 0, 1])
}

function fused (inputs: Record<'x' | 'filter' | 'bias' | 'preluActivationWeights', Value>, attributes: FusedDepthwiseConv2DAttrs): Value {
  const { x, filter, bias } = inputs
  // Only a number for each channel can be part of the convolution.
  const isPart = bias !== undefined && bias.shape.length === 1 && bias.size === filter.size / sizeOf(filter.shape.slice(0, 2))
  const sum = depthwise(x, filter, attributes, isPart ? bias : undefined)
  return activate(
    bias === undefined || isPart ? sum : add(sum, bias),
    attributes.activation,
    inputs.preluActivationWeights,
    attributes.leakyreluAlpha ?? 0
  )
}

export const depthwiseKernels: Kernel[] = [
  kernel<'x' | 'filter', DepthwiseConv2dNativeAttrs>(
    'DepthwiseConv2dNative',
    ({ x, filter }, attributes) => depthwise(x, filter, attributes)
  ),
  kernel<'dy' | 'filter', DepthwiseConv2dNativeBackpropInputAttrs>(
    'DepthwiseConv2dNativeBackpropInput',
    ({ dy, filter }, attributes) => forInput(dy, filter, attributes)
  ),
  kernel<'x' | 'dy', DepthwiseConv2dNativeBackpropFilterAttrs>(
    'DepthwiseConv2dNativeBackpropFilter',
    ({ x, dy }, attributes) => forFilter(x, dy, attributes)
  ),
  kernel<'x' | 'filter' | 'bias' | 'preluActivationWeights', FusedDepthwiseConv2DAttrs>('FusedDepthwiseConv2D', fused)
]
