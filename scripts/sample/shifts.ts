import { normalPair, type Random } from '../../src/common/random.ts'

/** A stack of slices as numbers, 0..255 before a shift. */
export interface Grid {
  readonly height: number
  readonly width: number
  readonly slices: readonly Float32Array[]
}

export type Shift = (grid: Grid) => Grid

/** Brightness as a coil near one corner of the stack would give it: a smooth factor between about 0.6 and 1.5. */
export const biasField: Shift = (grid) =>
  eachPixel(grid, (value, x, y, z) => value * Math.exp(0.35 * x - 0.25 * y + 0.2 * z * z - 0.15 * x * y))

/** Rician noise of magnitude images with standard deviation `sigma`. */
export function noise (random: Random, sigma: number): Shift {
  return (grid) => eachPixel(grid, (value) => {
    const [real, imaginary] = normalPair(random)
    return Math.hypot(value + sigma * real, sigma * imaginary)
  })
}

/** Pixels brightened by a power below 1 and squeezed into part of the range. */
export function flatten (gamma: number, low: number, high: number): Shift {
  return (grid) => eachPixel(grid, (value) => low + (high - low) * (value / 255) ** gamma)
}

/** Liquid bright, white matter dark, fat middling, air black: a T2-like look from T1 brightness, piecewise linear. */
export const invert: Shift = (grid) => eachPixel(grid, (value) => interpolate(T2_LIKE, value))

const T2_LIKE: readonly (readonly [number, number])[] = [[0, 0], [14, 12], [32, 225], [60, 185], [85, 135], [112, 80], [135, 60], [
  255,
  120
]]

function interpolate (knots: readonly (readonly [number, number])[], value: number): number {
  const next = Math.max(1, knots.findIndex(([at]) => at >= value))
  const [[x0, y0], [x1, y1]] = [knots[next - 1]!, knots[next]!]
  return y0 + (y1 - y0) * (value - x0) / (x1 - x0)
}

/** Gaussian blur within the slices, `sigma` in pixels. */
export function blur (sigma: number): Shift {
  const reach = Math.ceil(3 * sigma)
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)))
  const sum = kernel.reduce((total, weight) => total + weight, 0)
  const along = (pixels: Float32Array, length: number, stride: number, start: number, out: Float32Array): void => {
    for (let i = 0; i < length; i++) {
      out[start + i * stride] = kernel.reduce((total, weight, k) =>
        total + weight / sum * pixels[start + Math.min(length - 1, Math.max(0, i + k - reach)) * stride]!, 0)
    }
  }
  return ({ height, width, slices }) => ({
    height,
    width,
    slices: slices.map((pixels) => {
      const [rows, both] = [new Float32Array(pixels.length), new Float32Array(pixels.length)]
      for (let y = 0; y < height; y++) along(pixels, width, 1, y * width, rows)
      for (let x = 0; x < width; x++) along(rows, height, width, x, both)
      return both
    })
  })
}

/** Maps every pixel; x, y and z run from −1 to 1 over columns, rows and slices. */
function eachPixel ({ height, width, slices }: Grid, change: (value: number, x: number, y: number, z: number) => number): Grid {
  const unit = (index: number, count: number): number => count < 2 ? 0 : 2 * index / (count - 1) - 1
  return {
    height,
    width,
    slices: slices.map((pixels, k) => pixels.map((value, at) =>
      change(value, unit(at % width, width), unit(Math.floor(at / width), height), unit(k, slices.length))))
  }
}
