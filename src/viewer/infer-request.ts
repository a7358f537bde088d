import { z } from 'zod'
import { placeInCut } from '../dataset/index.ts'
import { InputError } from '../errors.ts'
import type { Image, Prompt } from '../site-model/predict/prompt.ts'

const MOST = 1_000
const point = z.array(z.number()).min(2).max(3)
const points = z.array(point).max(MOST).default([])

/** What MONAI Label's clients send as `params`; what this server has no use for is passed over. */
export const inferParams = z.object({
  foreground: points,
  background: points,
  /** First and last index along each axis, as 3D Slicer sends them, or two corners of a picture. */
  roi: z.array(z.number()).max(6).default([]),
  slice: z.number().int().nullish(),
  label: z.string().nullish(),
  result_extension: z.enum(['.nrrd', '.nii.gz', '.nii', '.png']).catch('.nrrd').default('.nrrd'),
  result_dtype: z.enum(['uint8', 'uint16']).catch('uint8').default('uint8')
})

export type InferParams = z.infer<typeof inferParams>

/** Points and boxes on one slice, as `predict` takes them. */
export interface SlicePrompt {
  readonly slice: number
  readonly prompt: Prompt
}

type Place = readonly [x: number, y: number, slice: number]

/** Voxels (i, j, k) that were clicked on, in the slice as it is cut. @throws InputError where they are none of one slice */
export function slicePrompt (image: Image, { foreground, background, roi, slice: wanted }: InferParams): SlicePrompt {
  const placed = placing(image)
  const [inside, outside] = [foreground, background].map((all) => all.map((each) => placed(each, wanted)))
  const box = boxOf(roi, wanted)?.map((corner) => placed(corner, wanted))
  const slices = new Set([...inside!, ...outside!, ...box ?? []].map(([,, slice]) => slice))
  const [slice] = slices
  if (slice == null) throw new InputError('there is neither a point nor a box: place one on the slice')
  if (slices.size > 1) throw new InputError('points and box lie on several slices: prompt one slice after the other')
  if (!(slice >= 0 && slice < image.slices.length)) throw new InputError(`slice ${slice} is none of the image's ${image.slices.length}`)
  const prompt = {
    points: [...inside!.map(([x, y]) => [x, y, 1] as const), ...outside!.map(([x, y]) => [x, y, 0] as const)],
    boxes: box == null ? [] : [spanned(box)]
  }
  return { slice, prompt }
}

/** Two voxels at opposite corners. */
function boxOf (roi: readonly number[], slice: number | null | undefined): number[][] | undefined {
  if (roi.length === 0) return undefined
  if (roi.length === 4) return [[roi[0]!, roi[1]!], [roi[2]!, roi[3]!]]
  if (roi.length !== 6) throw new InputError('roi must be the first and last index along each of three axes, or two corners of a picture')
  const k = slice ?? Math.round((roi[4]! + roi[5]!) / 2)
  return [[roi[0]!, roi[2]!, k], [roi[1]!, roi[3]!, k]]
}

/** Where the middle of a voxel is shown: x to the right and y down, in columns and rows. */
function placing (image: Image): (voxel: readonly number[], slice: number | null | undefined) => Place {
  if (image.kind === 'picture') return ([i, j]) => [i! + 0.5, j! + 0.5, 0]
  const { header: { dims }, stack: { cut } } = image
  return ([i, j, k], slice) => {
    const at = k ?? slice
    if (at == null) throw new InputError('a point in a volume needs three indices')
    const { slice: shown, row, column } = placeInCut(dims, cut, [i!, j!, at])
    return [column + 0.5, row + 0.5, shown]
  }
}

function spanned (corners: readonly Place[]): [number, number, number, number] {
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)]
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}
