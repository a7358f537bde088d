import { realpath } from 'node:fs/promises'
import { basename } from 'node:path'
import { writeMaskNifti, writeMaskPng } from '../../dataset/index.ts'
import { InputError } from '../../errors.ts'
import { SHARED_FILE, writeJson } from '../../home/files.ts'
import { writeLogits, type Image } from './prompt.ts'

/** One map over all slices of an image. */
export interface MapStack {
  readonly map: number
  /** Mean over the segmented slices of what the model expects. */
  readonly iou: number
  readonly masks: readonly Uint8Array[]
  readonly logits: readonly Float32Array[]
}

/** One file of maps that was written. */
export interface WrittenMap {
  /** 0 alone, or 1 to 3. */
  readonly map: number
  readonly file: string
  /** Predicted IoU; null where no slice was segmented. */
  readonly iou: number | null
  /** Pixels or voxels. */
  readonly foreground: number
}

const ENDING = /(\.png|\.nii|\.nii\.gz)$/i

/** @throws InputError when the name does not say which kind of file this image's mask is. */
export function checkOutput (out: string, image: Image, source: string): void {
  checkEnding(out)
  const wantsVolume = !/\.png$/i.test(out)
  if (wantsVolume !== (image.kind === 'volume')) {
    throw new InputError(
      wantsVolume ? `${source} is not a volume: let --out end in .png` : `${source} is a volume: let --out end in .nii.gz`
    )
  }
}

/** @throws InputError for a name that is neither a picture's nor a volume's. */
export function checkEnding (out: string): void {
  if (!ENDING.test(out)) throw new InputError(`--out ${out} must end in .png, or in .nii or .nii.gz for a volume`)
}

/** @throws InputError where what is written would replace something that is read. */
export async function requireNoOverwrite (
  { images, out, mask, multimask, logits }: {
    readonly images: readonly string[],
    readonly out: string,
    readonly mask?: string | undefined,
    readonly multimask?: boolean | undefined,
    readonly logits?: string | undefined
  }
): Promise<void> {
  const read = await Promise.all([...images, ...mask == null ? [] : [mask]].map(placeOf))
  const names = [out, ...multimask === true ? [1, 2, 3].map((map) => mapName(out, map)) : [], ...logits == null ? [] : [logits]]
  for (const name of names) {
    if (read.includes(await placeOf(name))) throw new InputError(`${name} would be replaced, and it is read: choose another --out`)
  }
}

/** Where a path leads to, or itself where nothing is there. */
export async function placeOf (path: string): Promise<string> {
  return await realpath(path).catch(() => path)
}

/** `mask.nii.gz` → `mask.map2.nii.gz` */
function mapName (out: string, map: number): string {
  return out.replace(ENDING, `.map${map}$1`)
}

/** `mask.nii.gz` → `mask.iou.json` */
function iouName (out: string): string {
  return out.replace(ENDING, '.iou.json')
}

/** The map with the highest IoU. */
export function bestMap (maps: readonly MapStack[]): MapStack {
  return maps.reduce((best, each) => each.iou > best.iou ? each : best)
}

/**
 * Writes the mask in the image's geometry. Of several maps each gets a name of its own, the best one the plain name too, and a small
 * JSON file says their IoU and which is best. `logits` takes the low-resolution logits of the best; `exact` numbers mean something, and
 * are not made visible.
 */
export async function writeMaps (
  out: string,
  image: Image,
  maps: readonly MapStack[],
  { logits, lowRes, exact = false }: { readonly logits?: string | undefined, readonly lowRes: number, readonly exact?: boolean }
): Promise<{ readonly best: number, readonly written: readonly WrittenMap[] }> {
  const best = bestMap(maps)
  const several = maps.length > 1
  const written = maps.map(({ map, iou, masks }) => ({
    map,
    file: several ? mapName(out, map) : out,
    iou: Number.isFinite(iou) ? iou : null,
    foreground: count(masks)
  }))
  if (several) {
    for (const [i, { file }] of written.entries()) await writeMask(file, image, maps[i]!.masks, exact)
    const all = written.map((each) => ({ ...each, file: basename(each.file) }))
    await writeJson(iouName(out), { best: best.map, maps: all }, SHARED_FILE)
  }
  if (logits != null) await writeLogits(logits, best.logits, lowRes)
  await writeMask(out, image, best.masks, exact)
  return { best: best.map, written }
}

async function writeMask (file: string, image: Image, masks: readonly Uint8Array[], exact: boolean): Promise<void> {
  if (image.kind === 'volume') return await writeMaskNifti(file, image, masks)
  const { height, width } = image.slices[0]!
  await writeMaskPng(file, masks[0]!, height, width, exact)
}

function count (masks: readonly Uint8Array[]): number {
  return masks.reduce((sum, mask) => sum + mask.reduce((inside, value) => inside + (value > 0 ? 1 : 0), 0), 0)
}
