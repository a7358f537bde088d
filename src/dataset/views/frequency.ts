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

/**
 * The image with the amplitudes of its low frequencies moved towards another's by `ratio`, phases as they were: its look changes, its
 * anatomy does not (FedDG, arXiv 2103.06030, eq. 2 as its author corrected it). Values may leave the range of the image.
 */
export function withAmplitudesOf (image: Plane, other: Plane, { window, ratio }: { window: number, ratio: number }): Float64Array {
  const [own, theirs] = [lowFrequencies(image, window), lowFrequencies(other, window)]
  const { height, width, values } = image
  const across = waves(width, window)
  const out = Float64Array.from(values)
  own.forEach(({ u, v, real, imaginary }, i) => {
    const amplitude = Math.hypot(real, imaginary)
    const change = ratio * (Math.hypot(theirs[i]!.real, theirs[i]!.imaginary) - amplitude)
    const phase = Math.atan2(imaginary, real)
    // Each stands for itself and its conjugate, but the mean, which is its own.
    const weight = (u === 0 && v === 0 ? 1 : 2) * change
    for (let y = 0; y < height; y++) {
      const row = phase + 2 * Math.PI * u * y / height
      const [cos, sin] = [weight * Math.cos(row), weight * Math.sin(row)]
      for (let x = 0; x < width; x++) out[y * width + x]! += cos * across.cos[v * width + x]! - sin * across.sin[v * width + x]!
    }
  })
  return out
}
