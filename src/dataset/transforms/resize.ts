export interface Raster {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  /** height·width·channels, row-major */
  readonly data: Uint8Array
}

/** Which input samples make one output sample, and how much of each. */
interface Taps { readonly first: number, readonly weights: Float32Array }

/**
 * Scales an 8-bit image to height×width with the filter of the reference (docs/spec/sam.md#geometry): a triangle, widened when shrinking so
 * that nothing aliases, plain bilinear with half-pixel centres when enlarging. Own code because libvips shifts enlarged images
 * by a quarter pixel against their masks and differs in the last bit between processors.
 */
export function resizeImage (image: Raster, height: number, width: number): Uint8Array {
  const { channels, data } = image
  if (image.height === height && image.width === width) return data
  const rows = taps(image.height, height)
  const columns = taps(image.width, width)
  const out = new Uint8Array(height * width * channels)
  const line = new Float32Array(image.width * channels)
  for (let y = 0; y < height; y++) {
    mixRows(data, line, rows[y]!)
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) out[(y * width + x) * channels + c] = Math.round(mixPixels(line, columns[x]!, channels, c))
    }
  }
  return out
}

/** Scales labels to height×width by the nearest pixel centre: never invents a label. */
export function resizeLabels (labels: Uint8Array, from: { height: number, width: number }, height: number, width: number): Uint8Array {
  if (from.height === height && from.width === width) return labels
  const out = new Uint8Array(height * width)
  const columns = Array.from({ length: width }, (_, x) => nearest(x, from.width, width))
  for (let y = 0; y < height; y++) {
    const row = nearest(y, from.height, height) * from.width
    for (let x = 0; x < width; x++) out[y * width + x] = labels[row + columns[x]!]!
  }
  return out
}

function nearest (index: number, from: number, to: number): number {
  return Math.min(from - 1, Math.floor((index + 0.5) * from / to))
}

function taps (from: number, to: number): Taps[] {
  const support = Math.max(1, from / to)
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * from / to
    const first = Math.max(0, Math.floor(centre - support + 0.5))
    const end = Math.min(from, Math.floor(centre + support + 0.5))
    const weights = Float32Array.from({ length: end - first }, (_tap, k) => Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / support))
    const sum = weights.reduce((total, weight) => total + weight, 0)
    return { first, weights: weights.map((weight) => weight / sum) }
  })
}

function mixRows (data: Uint8Array, line: Float32Array, { first, weights }: Taps): void {
  line.fill(0)
  weights.forEach((weight, k) => {
    const start = (first + k) * line.length
    for (let i = 0; i < line.length; i++) line[i] = line[i]! + weight * data[start + i]!
  })
}

function mixPixels (line: Float32Array, { first, weights }: Taps, channels: number, c: number): number {
  let sum = 0
  for (let k = 0; k < weights.length; k++) sum += weights[k]! * line[(first + k) * channels + c]!
  return sum
}
