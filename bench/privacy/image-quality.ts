import { mean } from '../../src/common/mean.ts'

/** Rows of grey values, 0..255. */
export interface Grey {
  readonly width: number
  readonly height: number
  readonly values: Float64Array
}

export interface Quality {
  /** Decibel; Infinity for the very image. */
  readonly psnr: number
  /** 1 for the very image, about 0 for one that has nothing of it. */
  readonly ssim: number
}

const RANGE = 255
const WINDOW = 7
const [C1, C2] = [(0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2]

/** How near a picture comes to the true one of the same size. */
export function quality (picture: Grey, truth: Grey): Quality {
  const squares = mean(Array.from(picture.values, (value, i) => (value - truth.values[i]!) ** 2))
  return { psnr: 10 * Math.log10(RANGE ** 2 / squares), ssim: similarity(picture, truth) }
}

/** Mean over all windows of 7 × 7 pixels, each as much as any other (Wang 2004; the default of scikit-image). */
function similarity (picture: Grey, { width, height, values: truth }: Grey): number {
  const all: number[] = []
  for (let y = 0; y + WINDOW <= height; y++) {
    for (let x = 0; x + WINDOW <= width; x++) all.push(inWindow(picture.values, truth, y * width + x, width))
  }
  return mean(all)
}

function inWindow (a: Float64Array, b: Float64Array, from: number, width: number): number {
  let [sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0]
  for (let y = 0; y < WINDOW; y++) {
    for (let i = from + y * width; i < from + y * width + WINDOW; i++) {
      const [one, other] = [a[i]!, b[i]!]
      sumA += one
      sumB += other
      squaresA += one * one
      squaresB += other * other
      products += one * other
    }
  }
  const count = WINDOW * WINDOW
  const [meanA, meanB] = [sumA / count, sumB / count]
  const covariance = (product: number, means: number): number => (product - count * means) / (count - 1)
  const spread = covariance(squaresA, meanA * meanA) + covariance(squaresB, meanB * meanB)
  const both = covariance(products, meanA * meanB)
  return (2 * meanA * meanB + C1) * (2 * both + C2) / ((meanA ** 2 + meanB ** 2 + C1) * (spread + C2))
}
