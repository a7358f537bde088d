import { normal, type Random } from '../../common/random.ts'

/** A normalised image, channel by channel: [channels, height, width]. */
export interface Planes {
  readonly channels: number
  readonly height: number
  readonly width: number
  readonly values: Float32Array
}

/** One layer of a random network: weights [outputs, inputs, kernel, kernel] and one shift for each output. */
export interface RandomLayer {
  readonly kernel: number
  readonly outputs: number
  readonly weights: Float32Array
  readonly shifts: Float32Array
}

/** What such a network is drawn from: `kernels` are the sides to choose from, odd. */
export interface NetworkShape {
  readonly layers: number
  /** between two layers */
  readonly width: number
  readonly kernels: readonly number[]
}

/** Four layers of two channels, kernels of 1 or 3 pixels (GIN, arXiv 2111.12525, its code). */
export const GIN: NetworkShape = { layers: 4, width: 2, kernels: [1, 3] }
/** One convolution of 1 to 7 pixels (RandConv, arXiv 2007.13003). */
export const RAND_CONV: NetworkShape = { layers: 1, width: 1, kernels: [1, 3, 5, 7] }

const LEAK = 0.01
const EPSILON = 1e-5

/** A network with weights and shifts of the standard normal distribution, from `channels` to as many. */
export function drawNetwork ({ layers, width, kernels }: NetworkShape, channels: number, random: Random): RandomLayer[] {
  return Array.from({ length: layers }, (_, layer) => {
    const kernel = kernels[Math.floor(random() * kernels.length)]!
    const inputs = layer === 0 ? channels : width
    const outputs = layer === layers - 1 ? channels : width
    const numbers = (length: number): Float32Array => Float32Array.from({ length }, () => normal(random))
    return { kernel, outputs, weights: numbers(outputs * inputs * kernel * kernel), shifts: numbers(outputs) }
  })
}

/**
 * α·g(v) + (1 − α)·v, brought to the length of v, where g is the network: brightness and fine texture change, shapes do not
 * (docs/spec/views.md#gin). `alpha` in 0..1.
 */
export function throughNetwork (image: Planes, network: readonly RandomLayer[], alpha: number): Planes {
  const last = network.length - 1
  const changed = network.reduce((planes, layer, i) => convolved(planes, layer, i < last ? LEAK : 1), image)
  const mixed = changed.values.map((value, i) => alpha * value + (1 - alpha) * image.values[i]!)
  const gain = norm(image.values) / (norm(mixed) + EPSILON)
  return { ...image, values: mixed.map((value) => value * gain) }
}

function norm (values: Float32Array): number {
  let squares = 0
  for (const value of values) squares += value * value
  return Math.sqrt(squares)
}

/** Zeros around it, the same size; what is below zero is multiplied by `leak`. */
function convolved ({ channels, height, width, values }: Planes, { kernel, outputs, weights, shifts }: RandomLayer, leak: number): Planes {
  const size = height * width
  const out = new Float32Array(outputs * size)
  for (let o = 0; o < outputs; o++) {
    const plane = out.subarray(o * size, (o + 1) * size).fill(shifts[o]!)
    for (let i = 0; i < channels; i++) {
      const from = values.subarray(i * size, (i + 1) * size)
      const at = (o * channels + i) * kernel * kernel
      addConvolved({ plane, from, height, width }, weights.subarray(at, at + kernel * kernel), kernel)
    }
    if (leak !== 1) plane.forEach((value, i) => { if (value < 0) plane[i] = leak * value })
  }
  return { channels: outputs, height, width, values: out }
}

function addConvolved (
  { plane, from, height, width }: { plane: Float32Array, from: Float32Array, height: number, width: number },
  weights: Float32Array,
  kernel: number
): void {
  const reach = (kernel - 1) / 2
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const weight = weights[(dy + reach) * kernel + dx + reach]!
      const [left, right] = [Math.max(0, -dx), Math.min(width, width - dx)]
      for (let y = Math.max(0, -dy); y < Math.min(height, height - dy); y++) {
        const [to, shift] = [y * width, dy * width + dx]
        for (let x = left; x < right; x++) plane[to + x]! += weight * from[to + x + shift]!
      }
    }
  }
}
