import type { Fitted } from '../types.ts'

/** One channel of an image, row-major. */
export interface Plane {
  readonly height: number
  readonly width: number
  readonly values: ArrayLike<number>
}

/** Amplitude and phase of one low frequency, divided by the number of pixels, so that images of different sizes compare. */
interface Coefficient {
  readonly u: number
  readonly v: number
  readonly real: number
  readonly imaginary: number
}

/**
 * Frequencies |u|, |v| ≤ `window`, one of each pair that is conjugate: 1, 5, 13, 25, 41 for a window of 0 to 4. Computed by themselves:
 * so few need no FFT.
 */
export function lowFrequencies ({ height, width, values }: Plane, window: number): Coefficient[] {
  const across = waves(width, window)
  const found: Coefficient[] = []
  for (let v = 0; v <= window; v++) {
    const [rowsReal, rowsImaginary] = [new Float64Array(height), new Float64Array(height)]
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = values[y * width + x]!
        rowsReal[y]! += value * across.cos[v * width + x]!
        rowsImaginary[y]! -= value * across.sin[v * width + x]!
      }
    }
    for (let u = v === 0 ? 0 : -window; u <= window; u++) found.push(alongColumns(rowsReal, rowsImaginary, u, v, width))
  }
  return found
}

function alongColumns (rowsReal: Float64Array, rowsImaginary: Float64Array, u: number, v: number, width: number): Coefficient {
  const height = rowsReal.length
  let [real, imaginary] = [0, 0]
  for (let y = 0; y < height; y++) {
    const angle = 2 * Math.PI * u * y / height
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
    real += rowsReal[y]! * cos + rowsImaginary[y]! * sin
    imaginary += rowsImaginary[y]! * cos - rowsReal[y]! * sin
  }
  return { u, v, real: real / (height * width), imaginary: imaginary / (height * width) }
}

function waves (length: number, window: number): { readonly cos: Float64Array, readonly sin: Float64Array } {
  const turns = Float64Array.from({ length: (window + 1) * length }, (_, i) => Math.floor(i / length) * (i % length) / length)
  const angles = turns.map((turn) => 2 * Math.PI * turn)
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) }
}

/** Amplitudes of the low frequencies, in the order of lowFrequencies. */
export function amplitudesOf (plane: Plane, window: number): number[] {
  return lowFrequencies(plane, window).map(({ real, imaginary }) => Math.hypot(real, imaginary))
}

/** Of 8 bits of brightness: what rounding leaves of a frequency that an image has not. */
const NOTHING = 1e-9

interface Mix {
  readonly window: number
  /** Of the other amplitudes, 0 to 1. */
  readonly ratio: number
  readonly amplitudes: readonly number[]
}

/**
 * The image with the amplitudes of its low frequencies moved towards others by `ratio`, phases as they were: its look changes, its
 * anatomy does not (FedDG, arXiv 2103.06030, eq. 2 as its author corrected it). A frequency that the image has not, but its mean, has no
 * phase and stays out. Values may leave the range of the image.
 */
export function withAmplitudes (image: Plane, { window, ratio, amplitudes }: Mix): Float64Array {
  const { height, width, values } = image
  const across = waves(width, window)
  const out = Float64Array.from(values)
  lowFrequencies(image, window).forEach(({ u, v, real, imaginary }, i) => {
    const [isMean, amplitude] = [u === 0 && v === 0, Math.hypot(real, imaginary)]
    // The phase of a rounding error would be another one on another processor.
    if (!isMean && amplitude < NOTHING) return
    const phase = Math.atan2(imaginary, real)
    // Each stands for itself and its conjugate, but the mean, which is its own.
    const weight = (isMean ? 1 : 2) * ratio * (amplitudes[i]! - amplitude)
    for (let y = 0; y < height; y++) {
      const row = phase + 2 * Math.PI * u * y / height
      const [cos, sin] = [weight * Math.cos(row), weight * Math.sin(row)]
      for (let x = 0; x < width; x++) out[y * width + x]! += cos * across.cos[v * width + x]! - sin * across.sin[v * width + x]!
    }
  })
  return out
}

/** One channel of an image's content. */
export function planeOf ({ fittedHeight: height, fittedWidth: width, channels, image }: Fitted, c: number): Plane {
  return { height, width, values: Uint8Array.from({ length: height * width }, (_, i) => image[i * channels + c]!) }
}

/** An image has the frequencies of a window. */
export function reaches ({ fittedHeight, fittedWidth }: Fitted, window: number): boolean {
  return Math.min(fittedHeight, fittedWidth) > 2 * window
}

/** An image as it would look with others' amplitudes of each channel, 8 bits; what lies about its content stays. */
export function inLook (
  fitted: Fitted,
  { amplitudes, ...mix }: Omit<Mix, 'amplitudes'> & { readonly amplitudes: (channel: number) => readonly number[] }
): Fitted {
  const { channels, image } = fitted
  const out = new Uint8Array(image.length)
  for (let c = 0; c < channels; c++) {
    const mixed = withAmplitudes(planeOf(fitted, c), { ...mix, amplitudes: amplitudes(c) })
    mixed.forEach((value, i) => { out[i * channels + c] = Math.round(Math.min(255, Math.max(0, value))) })
  }
  return { ...fitted, image: out }
}
