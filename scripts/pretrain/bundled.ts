import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fitSlice, loadDataset, type Fitted } from '../../src/dataset/index.ts'
import { maskBounds } from '../../src/model/train/box-prompts.ts'
import type { Sample } from './scenes/sample.ts'

/**
 * Slices of every bundled hospital as samples: the box fits the mask, the point is its middle, without a prompt the mask is meant too.
 * Keys are the hospitals' names.
 */
export async function bundledSamples (side: number, folder = join('samples', 'colin27')): Promise<Map<string, Sample[]>> {
  const names = (await readdir(folder)).sort()
  return new Map(
    await Promise.all(names.map(async (name) => {
      const { slices } = await loadDataset(join(folder, name))
      const fitted = await Promise.all(
        slices.filter(({ mask }) => mask.some((label) => label > 0)).map(async (slice) => await fitSlice(slice, side))
      )
      return [name, fitted.map(toSample)] as const
    }))
  )
}

function toSample (slice: Fitted): Sample {
  const { image, mask, side, channels, fittedHeight: height, fittedWidth: width } = slice
  const whole = pad(mask.map((label) => label > 0 ? 1 : 0), 1, { side, height, width })
  const box = maskBounds(slice)
  return {
    side,
    height,
    width,
    image: pad(image, channels, { side, height, width }),
    none: { mask: whole },
    point: { mask: whole, at: [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] },
    box: { mask: whole, at: box }
  }
}

/** The first channel at the top left of a square. */
function pad (pixels: Uint8Array, channels: number, { side, height, width }: Pick<Sample, 'side' | 'height' | 'width'>): Uint8Array {
  const out = new Uint8Array(side * side)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) out[row * side + column] = pixels[(row * width + column) * channels]!
  }
  return out
}
