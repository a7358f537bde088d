import { readFile } from 'node:fs/promises'
import { readFloatTensors, writeSafetensors } from '../../adapter/safetensors.ts'
import { fitSlice, readMaskOf, type Fitted, type PictureImage, type Slice, type VolumeImage } from '../../dataset/index.ts'
import { InputError } from '../../errors.ts'
import { SHARED_FILE, writeFileSafely } from '../../home/files.ts'
import { maskLogits, type BoxPrompt, type ImagePrompt, type PointPrompt } from '../../model/predict/prompts.ts'

/**
 * What a user points at, in pixels of the image; in a volume, in columns and rows of the slice as it is cut and shown
 * (docs/predict.md).
 */
export interface Prompt {
  readonly points?: readonly PointPrompt[]
  /** Each is a prompt of its own: the mask is what any of them marks. */
  readonly boxes?: readonly BoxPrompt[]
  /** A PNG or NIfTI mask of the image's size, or the low-resolution logits of an earlier prediction (.safetensors). */
  readonly mask?: string
}

/** One slice on its way to the model. */
export interface PromptedSlice {
  readonly fitted: Fitted
  readonly prompt: ImagePrompt
}

/** What a file holds: one picture, or a volume of slices. */
export type Image = PictureImage | VolumeImage

const LOGITS = 'low_res_logits'

/**
 * Prepares slices one by one: fitted to the model's side, each with its own part of the prompt; undefined for one that is left out and
 * stays background. @throws InputError for a mask that does not fit the image
 */
export async function promptedSlices (
  image: Image,
  prompt: Prompt,
  range: readonly [number, number] | undefined,
  { side, lowRes }: { readonly side: number, readonly lowRes: number }
): Promise<(index: number) => Promise<PromptedSlice | undefined>> {
  const { points = [], boxes = [] } = prompt
  checkInside(image, points, boxes)
  const [sx, sy] = pixelsPerColumn(image)
  const common: ImagePrompt = {
    points: points.map(([x, y, label]) => [x * sx, y * sy, label]),
    boxes: boxes.map(([x0, y0, x1, y1]) => [x0 * sx, y0 * sy, x1 * sx, y1 * sy])
  }
  const mask = await readMaskPrompt(image, prompt.mask, lowRes)
  const inRange = (index: number): boolean => range == null || (index >= range[0] && index <= range[1])
  return async (index) => {
    const slice = image.slices[index]!
    const labels = mask?.labels?.[index]
    if (!inRange(index) || (labels != null && !labels.some((label) => label > 0))) return undefined
    const fitted = await fitSlice(labels == null ? slice : { ...slice, mask: labels }, side)
    const logits = labels == null ? mask?.logits?.[index] : maskLogits(fitted, lowRes)
    return { fitted, prompt: logits == null ? common : { ...common, mask: logits } }
  }
}

/** Prompts count in pixels of the picture, or in columns and rows of a volume's slices. */
function sidesOf (image: Image): [width: number, height: number] {
  return image.kind === 'picture'
    ? [image.slices[0]!.width, image.slices[0]!.height]
    : [image.stack.cut.columns.count, image.stack.cut.rows.count]
}

function checkInside (image: Image, points: readonly PointPrompt[], boxes: readonly BoxPrompt[]): void {
  const [width, height] = sidesOf(image)
  const isInside = (x: number, y: number): boolean => x >= 0 && y >= 0 && x <= width && y <= height
  const point = points.find(([x, y]) => !isInside(x, y))
  const box = boxes.find(([x0, y0, x1, y1]) => !isInside(x0, y0) || !isInside(x1, y1))
  const outside = point == null ? box == null ? undefined : `the box ${box.join()}` : `the point ${point.slice(0, 2).join()}`
  if (outside != null) {
    throw new InputError(
      `${outside} does not lie in the image, which is ${width} pixels wide and ${height} high: give it in pixels from the upper left corner`
    )
  }
}

/** Slices of a volume are resampled to square pixels. */
function pixelsPerColumn (image: Image): [x: number, y: number] {
  if (image.kind === 'picture') return [1, 1]
  const { cut: { rows, columns }, width, height } = image.stack
  return [width / columns.count, height / rows.count]
}

interface MaskPrompt { readonly labels?: readonly Uint8Array[], readonly logits?: readonly Float32Array[] }

async function readMaskPrompt (image: Image, file: string | undefined, lowRes: number): Promise<MaskPrompt | undefined> {
  if (file == null) return undefined
  if (!file.endsWith('.safetensors')) return { labels: await readMaskOf(image, file) }
  return { logits: await readLogits(file, image.slices, lowRes) }
}

async function readLogits (file: string, slices: readonly Slice[], lowRes: number): Promise<Float32Array[]> {
  const tensor = readFloatTensors(await readFile(file)).tensors.get(LOGITS)
  const wanted = [slices.length, lowRes, lowRes]
  if (tensor?.shape.join() !== wanted.join()) {
    throw new InputError(`${file} does not hold ${LOGITS} of shape [${wanted.join(', ')}] for this image and model: write it with --logits`)
  }
  return slices.map((_, i) => tensor.data.subarray(i * lowRes ** 2, (i + 1) * lowRes ** 2))
}

/** One map of low-resolution logits per slice; a prompt for the next prediction on the same image. */
export async function writeLogits (file: string, logits: readonly Float32Array[], lowRes: number): Promise<void> {
  const data = new Float32Array(logits.length * lowRes ** 2)
  logits.forEach((each, i) => { data.set(each, i * lowRes ** 2) })
  const tensors = new Map([[LOGITS, { shape: [logits.length, lowRes, lowRes], data }]])
  await writeFileSafely(file, writeSafetensors(tensors, { format: 'pt' }), SHARED_FILE)
}
