/** Convolutions and their gradients over any number of axes; tensors are channels-first: [batch, channels, …]. */
import type { backend_util as backendUtil } from '@tensorflow/tfjs-core'
import { operation, sizeOf } from '../value.ts'
import type { Attributes, Value } from '../value.ts'
import { slice, transpose } from './ops.ts'
import { pad } from './shape.ts'

/**
 * How windows lie along one axis: `before` zeros in front of `size` numbers (where negative, as many numbers are passed over), `out`
 * windows.
 */
export interface Axis {
  readonly size: number
  readonly out: number
  readonly filter: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
}

export function axesOf2d (info: backendUtil.Conv2DInfo): Axis[] {
  return [
    {
      size: info.inHeight,
      out: info.outHeight,
      filter: info.filterHeight,
      stride: info.strideHeight,
      dilation: info.dilationHeight,
      before: info.padInfo.top
    },
    {
      size: info.inWidth,
      out: info.outWidth,
      filter: info.filterWidth,
      stride: info.strideWidth,
      dilation: info.dilationWidth,
      before: info.padInfo.left
    }
  ]
}

export function axesOf3d (info: backendUtil.Conv3DInfo): Axis[] {
  return [
    {
      size: info.inDepth,
      out: info.outDepth,
      filter: info.filterDepth,
      stride: info.strideDepth,
      dilation: info.dilationDepth,
      before: info.padInfo.front
    },
    {
      size: info.inHeight,
      out: info.outHeight,
      filter: info.filterHeight,
      stride: info.strideHeight,
      dilation: info.dilationHeight,
      before: info.padInfo.top
    },
    {
      size: info.inWidth,
      out: info.outWidth,
      filter: info.filterWidth,
      stride: info.strideWidth,
      dilation: info.dilationWidth,
      before: info.padInfo.left
    }
  ]
}

function reach ({ filter, dilation }: Axis): number {
  return (filter - 1) * dilation + 1
}

/** Zeros behind: what makes the windows fit exactly; numbers that the strides do not reach need none. */
export function after (axis: Axis): number {
  return Math.max(0, (axis.out - 1) * axis.stride + reach(axis) - axis.size - axis.before)
}

export function pads (axes: readonly Axis[]): { ints: number[] } {
  return { ints: [...axes.map(({ before }) => before), ...axes.map(after)] }
}

export function strides (axes: readonly Axis[]): { ints: number[] } {
  return { ints: axes.map(({ stride }) => stride) }
}

function dilations (axes: readonly Axis[]): { ints: number[] } {
  return { ints: axes.map(({ dilation }) => dilation) }
}

/** Without the numbers in front that windows pass over: 'same' padding in volumes has them where strides are wider than windows. */
export function trim (axes: readonly Axis[]): Axis[] {
  return axes.map((axis) => axis.before < 0 ? { ...axis, size: axis.size + axis.before, before: 0 } : axis)
}

/** What `trim` leaves of a channels-first tensor. */
export function trimmed (x: Value, axes: readonly Axis[]): Value {
  if (axes.every(({ before }) => before >= 0)) return x
  return slice(x, { begin: [0, 0, ...axes.map(({ before }) => Math.max(0, -before))], end: x.shape, strides: x.shape.map(() => 1) })
}

/** Zeros where `trimmed` cut. */
export function untrimmed (x: Value, axes: readonly Axis[]): Value {
  return pad(x, { paddings: [[0, 0], [0, 0], ...axes.map(({ before }): [number, number] => [Math.max(0, -before), 0])], constantValue: 0 })
}

/** x [N, C, …], filter [O, C / groups, …], bias [O] → [N, O, …]. */
export function convolve (input: Value, filter: Value, windows: readonly Axis[], groups: number, bias?: Value): Value {
  const [x, axes] = [trimmed(input, windows), trim(windows)]
  const shape = [x.shape[0] as number, filter.shape[0] as number, ...axes.map(({ out }) => out)]
  return operation('Conv', [x, filter, ...bias === undefined ? [] : [bias]], { shape, type: 'float32' }, {
    strides: strides(axes),
    pads: pads(axes),
    dilations: dilations(axes),
    group: { i: groups }
  })
}

/** dy [N, O, …], filter [O, C / groups, …] → [N, C, …]. */
export function inputGradient (dy: Value, filter: Value, windows: readonly Axis[], groups: number): Value {
  const axes = trim(windows)
  const shape = [dy.shape[0] as number, (filter.shape[1] as number) * groups, ...axes.map(({ size }) => size)]
  const unreached = axes.map((axis) => axis.size + axis.before + after(axis) - (axis.out - 1) * axis.stride - reach(axis))
  const settings: Attributes = {
    strides: strides(axes),
    pads: pads(axes),
    dilations: dilations(axes),
    output_padding: { ints: unreached },
    group: { i: groups }
  }
  return untrimmed(operation('ConvTranspose', [dy, filter], { shape, type: 'float32' }, settings), windows)
}

/**
 * x [N, C, …], dy [N, O, …] → [O, C, …], or with `perChannel` (as many groups as channels) [O, 1, …]: a convolution with batch
 * and channels swapped, in which the forward stride is the dilation and the forward dilation the stride.
 */
export function filterGradient (input: Value, dy: Value, windows: readonly Axis[], perChannel: boolean): Value {
  const [x, axes] = [trimmed(input, windows), trim(windows)]
  const [batch, channels] = x.shape as [number, number]
  const swap = [1, 0, ...axes.map((_, axis) => axis + 2)]
  const [images, errors] = [transpose(x, swap), transpose(dy, swap)]
  const outputs = errors.shape[0] as number
  const source = perChannel ? images.view([1, channels * batch, ...x.shape.slice(2)]) : images
  const rows = perChannel ? 1 : channels
  // Numbers that the strides never reached lengthen this result beyond the filter.
  const extents = axes.map((axis) =>
    Math.floor((axis.size + axis.before + after(axis) - (axis.out - 1) * axis.stride - 1) / axis.dilation) + 1
  )
  const settings: Attributes = {
    strides: dilations(axes),
    dilations: strides(axes),
    pads: pads(axes),
    group: { i: perChannel ? channels : 1 }
  }
  const full = operation('Conv', [source, errors], { shape: [rows, outputs, ...extents], type: 'float32' }, settings)
  const end = [rows, outputs, ...axes.map(({ filter }) => filter)]
  const cut = slice(full, { begin: end.map(() => 0), end, strides: end.map(() => 1) })
  return perChannel ? cut.view([outputs, 1, ...end.slice(2)]) : transpose(cut, swap)
}

/** The permutation that moves the last axis behind the first. */
export function channelsFirst (x: Value): Value {
  const rank = x.shape.length
  return transpose(x, [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 1)])
}

/** The permutation that moves the second axis to the end. */
export function channelsLast (x: Value): Value {
  const rank = x.shape.length
  return transpose(x, [0, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 2), 1])
}

/** For each window, how many of its places are not padding. */
export function counts (axes: readonly Axis[]): Float32Array {
  const along = ({ size, out, filter, stride, dilation, before }: Axis): number[] => Array.from({ length: out }, (_, window) => {
    const places = Array.from({ length: filter }, (__, tap) => window * stride - before + tap * dilation)
    return places.filter((place) => place >= 0 && place < size).length
  })
  const product = axes.map(along).reduce((left, right) => left.flatMap((a) => right.map((b) => a * b)), [1])
  return Float32Array.from(product)
}

export function windowSize (axes: readonly Axis[]): number {
  return sizeOf(axes.map(({ filter }) => filter))
}
