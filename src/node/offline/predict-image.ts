import { fitSlice, readImage, writeMaskNifti, writeMaskPng } from '../../dataset/index.ts'
import type { ComputeSettings } from '../config/compute.ts'
import type { Mode } from '../../model/settings.ts'
import { InputError } from '../../errors.ts'
import { openSiteModel } from './site-model.ts'

export interface Prompt {
  /** x0, y0, x1, y1 in pixels of the original image. */
  readonly box?: readonly [number, number, number, number]
  /** x, y and label (1 inside, 0 outside) in pixels of the original image. */
  readonly points?: readonly (readonly [number, number, number])[]
}

export interface PredictRequest {
  readonly home: string
  readonly image: string
  readonly out: string
  readonly mode: Mode
  readonly prompt: Prompt
  /** What shall differ from the site's own settings. */
  readonly compute?: Partial<ComputeSettings>
  readonly onProgress?: (done: number, total: number) => void
}

const CHUNK = 8

/** Segments one image or, slice by slice, one volume; returns how many pixels or voxels are foreground. */
export async function predictImage ({ home, image, out, mode, prompt, compute, onProgress }: PredictRequest): Promise<{ slices: number, foreground: number, round: number }> {
  const wantsVolume = /\.nii(\.gz)?$/i.test(out)
  if (!wantsVolume && !/\.png$/i.test(out)) throw new InputError(`--out ${out} must end in .png, or in .nii or .nii.gz for a volume`)
  const site = await openSiteModel(home, compute)
  try {
    const file = await readImage(image, { axis: site.config.axis })
    if (wantsVolume !== (file.kind === 'volume')) throw new InputError(wantsVolume ? `${image} is not a volume: let --out end in .png` : `${image} is a volume: let --out end in .nii.gz`)
    const masks: Uint8Array[] = []
    for (let first = 0; first < file.slices.length; first += CHUNK) {
      const samples = await Promise.all(file.slices.slice(first, first + CHUNK).map(async (slice) => await fitSlice(slice, site.learner.inputSize)))
      masks.push(...await site.learner.predict({ adapter: site.adapter, samples, mode, prompt }))
      onProgress?.(masks.length, file.slices.length)
    }
    if (file.kind === 'volume') await writeMaskNifti(out, file, masks)
    else await writeMaskPng(out, masks[0]!, file.slices[0]!.height, file.slices[0]!.width)
    const foreground = masks.reduce((sum, mask) => sum + mask.reduce((count, value) => count + (value > 0 ? 1 : 0), 0), 0)
    return { slices: masks.length, foreground, round: site.round }
  } finally {
    await site.close()
  }
}
