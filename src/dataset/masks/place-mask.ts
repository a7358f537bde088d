import { InputError } from '../../errors.ts'
import { turned, turnedBack, type Turnable } from './turn.ts'

const AS_STORED = 'images or masks with a turn in their header (EXIF or TIFF orientation): both are read as stored, as most tools do'
const TURNED = 'masks turned to their images, whose header holds a turn (EXIF or TIFF orientation): only so do their sizes fit'

interface Sized { readonly height: number, readonly width: number, readonly orientation?: number }

/**
 * A mask on the stored pixels of its image. The image itself is never turned, so that training, evaluation and prediction show the
 * same pixels; a mask drawn on what a viewer showed is turned back.
 *
 * @throws InputError where the sizes do not fit
 */
export function placeMask (
  mask: Turnable,
  orientation = 1,
  { height, width, orientation: imageTurn = 1 }: Sized
): { readonly data: Uint8Array, readonly notes: readonly string[] } {
  if (mask.height === height && mask.width === width) return { data: mask.data, notes: orientation === imageTurn ? [] : [AS_STORED] }
  // Its own turn may be meant, or have been copied from the image.
  const placed = [turnedBack(turned(mask, orientation), imageTurn), turnedBack(mask, imageTurn)]
    .find((each) => each.height === height && each.width === width)
  if (placed != null) return { data: placed.data, notes: [TURNED] }
  throw new InputError(`the mask has ${mask.width}×${mask.height} pixels, the image ${width}×${height}`)
}
