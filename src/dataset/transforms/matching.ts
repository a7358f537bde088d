import { InputError } from '../../errors.ts'
import type { NiftiHeader } from '../../formats/nifti-header.ts'
import { cornerDistance, sameGrid, type Cut } from './orientation.ts'
import { planStack, type Stack } from './slicing.ts'

interface Planned { readonly header: NiftiHeader, readonly stack: Stack }

/**
 * How the mask's voxels lie in the stack of its image. A mask whose header fits the image's grid was drawn on its voxels, whichever of the
 * two places of a header its program went by; another covers the same place, and may be stored in another order.
 *
 * @throws InputError whose message is a reason without a file name
 */
export function matchStack (image: Planned, mask: NiftiHeader): Stack {
  if (sameGrid(image.header, mask)) return image.stack
  const own = image.stack.cut
  const fits = fitting(image, mask)
  const [first] = fits
  if (first != null && fits.every(({ cuts: [a, b] }) => sameWalk(a, own) && sameWalk(b, first.cuts[1]))) {
    return { ...image.stack, cut: first.cuts[1] }
  }
  if (image.header.twoPlaces === true || mask.twoPlaces === true) return refuseTwoPlaces(image.header)
  const { cut } = planStack({ header: mask }, own.axis)
  const sameSize = image.header.dims.every((count, axis) => count === mask.dims[axis])
  if (!sameSize && countOf(cut) !== countOf(own)) throw new InputError(`the mask has ${countOf(cut)} voxels, the image ${countOf(own)}`)
  throw new InputError(`by their headers, mask and image lie at different places: ${sameSize ? COPY : 'resample the mask onto the image'}`)
}

/** The cuts of both along the axis of the image, for each of their places by which they cover each other. */
function fitting (image: Planned, mask: NiftiHeader): Array<{ readonly cuts: readonly [Cut, Cut] }> {
  const { axis } = image.stack.cut
  return placesOf(image.header).flatMap((a) => placesOf(mask).flatMap((b) => {
    const cuts = [planStack({ header: a }, axis).cut, planStack({ header: b }, axis).cut] as const
    const { rows, columns, slices } = cuts[0]
    if (countOf(cuts[0]) !== countOf(cuts[1])) return []
    const distance = cornerDistance({ ...a, cut: cuts[0] }, { ...b, cut: cuts[1] })
    return distance > Math.min(rows.spacing, columns.spacing, slices.spacing) ? [] : [{ cuts }]
  }))
}

/** The header, and where its qform and sform differ one for every place that it gives. */
function placesOf (header: NiftiHeader): NiftiHeader[] {
  return header.twoPlaces === true ? [header, ...(header.others ?? []).map((affine) => ({ ...header, affine }))] : [header]
}

function sameWalk (a: Cut, b: Cut): boolean {
  return (['slices', 'rows', 'columns'] as const).every((way) => a[way].start === b[way].start && a[way].step === b[way].step)
}

const COPY = "if the mask was drawn on this very image, give it the image's header; if not, resample the mask onto the image"

function refuseTwoPlaces ({ twoPlaces }: NiftiHeader): never {
  throw new InputError(
    `the qform and sform of the ${twoPlaces === true ? 'image' : 'mask'} put it at different places, and the header of the other file ` +
      'fits neither voxel for voxel: save the mask again on the voxels of the image, and do not resample it'
  )
}

function countOf ({ slices, rows, columns }: Cut): string {
  return `${columns.count}×${rows.count}×${slices.count}`
}
