import { decompressFrames, parseGIF } from 'gifuct-js'
import { InputError } from '../../errors.ts'
import { checkSize, DAMAGED, type Samples } from './samples.ts'

/** Palette indices of a GIF. @throws InputError for moving ones and damage */
export function decodeGif (bytes: Buffer): Samples {
  const gif = parseGIF(new Uint8Array(bytes).buffer)
  const { width, height, backgroundColorIndex } = gif.lsd
  checkSize(width, height)
  const [frame, ...further] = decompressFrames(gif, false)
  if (frame == null) throw new InputError(DAMAGED)
  if (further.length > 0) throw new InputError('the GIF moves: store one file per picture, as PNG')
  const { dims, pixels, colorTable, transparentIndex } = frame
  // Cut-off data leaves the decoder's pixels undefined.
  if (pixels.length < dims.width * dims.height || pixels.some((index) => !Number.isInteger(index))) throw new InputError(DAMAGED)
  const data = new Uint8Array(width * height).fill(transparentIndex ?? backgroundColorIndex)
  for (let y = 0; y < Math.min(dims.height, height - dims.top); y++) {
    for (let x = 0; x < Math.min(dims.width, width - dims.left); x++) {
      data[(dims.top + y) * width + dims.left + x] = pixels[y * dims.width + x]!
    }
  }
  const palette = Array.from(colorTable, (colour, i) => i === transparentIndex ? [...colour, 0] : colour)
  return { height, width, channels: 1, data, bits: 8, palette }
}
