import type { Random } from '../../common/random.ts'
import type { Fitted } from '../types.ts'

/** What brightness and contrast are multiplied by; the authors' 0.1 leaves images of 8 bits black (FedSemiDG, arXiv 2501.07378). */
const [LEAST, MOST] = [0.5, 1.5]
/** Pixels of the network's input: the most that an image is blurred by. */
const MOST_BLUR = 1.5

/**
 * As another scanner might have taken it: brightness and contrast (a gain and an offset) changed, and blurred. Shapes stay where they are.
 */
export function inOtherLight (fitted: Fitted, random: Random): Fitted {
  const [light, contrast, sigma] = [within(random), within(random), MOST_BLUR * random()]
  const { image } = fitted
  const mean = light * image.reduce((sum, value) => sum + value, 0) / Math.max(1, image.length)
  const lit = new Float32Array(image.length)
  for (let i = 0; i < image.length; i++) lit[i] = contrast * light * image[i]! + (1 - contrast) * mean
  const seen = blurred(lit, fitted, sigma)
  return { ...fitted, image: new Uint8Array(image.length).map((_, i) => Math.round(Math.min(255, Math.max(0, seen[i]!)))) }
}

function within (random: Random): number {
  return LEAST + (MOST - LEAST) * random()
}

/** By a Gaussian of so many pixels, along rows and then along columns; beyond the border the border goes on. */
function blurred (values: Float32Array, { fittedHeight, fittedWidth, channels }: Fitted, sigma: number): Float32Array {
  const across = { length: fittedWidth, lines: fittedHeight, step: channels, next: fittedWidth * channels }
  const down = { length: fittedHeight, lines: fittedWidth, step: fittedWidth * channels, next: channels }
  const weights = gaussian(sigma)
  return [across, down].reduce((seen, way) => alongLines(seen, weights, { ...way, channels }), values)
}

/** Half of it, from the middle on; both halves sum to 1. */
function gaussian (sigma: number): number[] {
  const half = Array.from({ length: 1 + Math.ceil(3 * sigma) }, (_, i) => i === 0 ? 1 : Math.exp(-((i / sigma) ** 2) / 2))
  const sum = half.reduce((total, each) => total + 2 * each, -half[0]!)
  return half.map((each) => each / sum)
}

interface Lines { readonly length: number, readonly lines: number, readonly step: number, readonly next: number, readonly channels: number }

/** In the order in which values lie, since those of large images do not fit into the processor's cache. */
function alongLines (values: Float32Array, weights: readonly number[], { length, lines, step, next, channels }: Lines): Float32Array {
  const out = new Float32Array(values.length)
  const isAcross = step < next
  const [outer, inner] = isAcross ? [lines, length] : [length, lines]
  const clamped = (i: number): number => step * Math.min(length - 1, Math.max(0, i))
  for (let one = 0; one < outer; one++) {
    for (let other = 0; other < inner; other++) {
      const i = isAcross ? other : one
      const begin = next * (isAcross ? one : other)
      for (let c = begin; c < begin + channels; c++) {
        let sum = weights[0]! * values[c + i * step]!
        for (let away = 1; away < weights.length; away++) {
          sum += weights[away]! * (values[c + clamped(i - away)]! + values[c + clamped(i + away)]!)
        }
        out[c + i * step] = sum
      }
    }
  }
  return out
}
