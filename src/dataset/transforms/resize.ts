import sharp from 'sharp'

export interface Raster {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  /** height·width·channels, row-major */
  readonly data: Uint8Array
}

/** Scales an 8-bit image to height×width: triangle filter, widened when shrinking so that nothing aliases, bilinear when enlarging. */
export async function resizeImage (image: Raster, height: number, width: number): Promise<Uint8Array> {
  if (image.height === height && image.width === width) return image.data
  const { data } = await sharp(image.data, { raw: { height: image.height, width: image.width, channels: image.channels } })
    .resize({ width, height, fit: 'fill', kernel: 'linear' })
    .toColourspace(image.channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return new Uint8Array(data)
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
