import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { EVERYTHING, plainName, readLabelVoxels, smallest, type LabelMap } from '../dataset/index.ts'
import { InputError } from '../errors.ts'
import type { Image } from '../site-model/predict/prompt.ts'

/** What MONAI Label's clients send with a label: what its values are called, where they say it. */
export const labelParams = z.object({
  label_info: z.array(z.object({ name: z.string(), idx: z.number().int().optional() })).max(255).catch([]).default([]),
  client_id: z.string().max(200).nullish()
})

type LabelInfo = z.infer<typeof labelParams>['label_info']

const ENDINGS = /(\.nii\.gz|\.nii|\.seg\.nrrd|\.nrrd|\.png|\.bin)$/i

/**
 * Labels that a viewer drew, in the order of the image's voxels and in the federation's values. @throws InputError where they do not fit
 * the image, or nobody knows what they are
 */
export async function readSavedLabel (
  { bytes, name }: { readonly bytes: Buffer, readonly name: string },
  image: Image,
  { info, labels }: { readonly info: LabelInfo, readonly labels: LabelMap | undefined }
): Promise<Uint8Array> {
  const drawn = await readDrawn(bytes, name, image)
  const table = tableOf(drawn, info, labels)
  const voxels = drawn.map((value) => table[value]!)
  if (voxels.some((value) => value > 0)) return voxels
  throw new InputError('the label is empty: draw something before it is saved')
}

async function readDrawn (bytes: Buffer, name: string, image: Image): Promise<Uint8Array> {
  const ending = ENDINGS.exec(name)?.[0]?.toLowerCase()
  if (ending == null) throw new InputError('the label is of a format that is not read: save it as NIfTI, NRRD or PNG')
  if (ending === '.bin') return rawLabels(bytes, image)
  // The readers of images take files; this one is seen by nobody else, and gone before the answer.
  const folder = await mkdtemp(join(tmpdir(), 'consilium-label-'))
  const file = join(folder, `label${ending}`)
  try {
    await writeFile(file, bytes, { mode: 0o600 })
    return await readLabelVoxels(image, file)
  } catch (error) {
    throw error instanceof InputError ? new InputError(error.message.replaceAll(file, 'the label')) : error
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** One byte a voxel, as OHIF sends them. */
function rawLabels (bytes: Buffer, image: Image): Uint8Array {
  const [width, height, depth] = image.kind === 'volume' ? image.header.dims : [image.slices[0]!.width, image.slices[0]!.height, 1]
  if (bytes.length === width * height * depth) return Uint8Array.from(bytes)
  throw new InputError(`the label has ${bytes.length} bytes, and the image ${width * height * depth} voxels: one byte is wanted for each`)
}

/** What each value that was drawn becomes. @throws InputError for one that is no class */
function tableOf (drawn: Uint8Array, info: LabelInfo, labels: LabelMap = EVERYTHING): Uint8Array {
  const table = new Uint8Array(256)
  const called = new Map(info.map(({ name, idx }, at) => [idx ?? at + 1, name]))
  const only = labels === EVERYTHING
  for (const value of new Set(drawn)) {
    if (value === 0) continue
    const name = called.get(value)
    const known = only ? 1 : name == null ? labels.values.find((each) => each === value) : valueOf(name, labels)
    if (known != null || value === labels.ignore) table[value] = known ?? value
    else {
      throw new InputError(
        `the label holds ${name ?? `the value ${value}`}, which is no class of the federation: its classes are ${labels.names.join(', ')}`
      )
    }
  }
  return table
}

function valueOf (name: string, labels: LabelMap): number | undefined {
  const c = labels.names.findIndex((own) => plainName(own) === plainName(name))
  return c < 0 ? undefined : labels.values[smallest([c], labels)]
}
