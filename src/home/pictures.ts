import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../common/parse-json.ts'
import { CorruptFileError } from '../errors.ts'
import { readChecked, writeCheckedJson } from './checksum.ts'

const side = z.number().int().min(1).max(4_096)
const png = z.string().regex(/^data:image\/png;base64,[A-Za-z0-9+/=]+$/)
const score = z.object({ dice: z.number(), hd95: z.number().nullable() })
const pictures = z.object({
  /** Whose scores they go with. */
  round: z.number().int(),
  /** ISO 8601, UTC. */
  t: z.iso.datetime(),
  shots: z.array(z.object({
    width: side,
    height: side,
    /** The image, and what lies over it: outlines of the truth and of a model's result. */
    image: png,
    frozen: png,
    global: png,
    personal: png,
    scores: z.object({ frozen: score, global: score, personal: score })
  })).max(20)
})

/** Validation images with what the three models make of them: pixels, without a name. They stay in `private/`. */
export type Pictures = z.infer<typeof pictures>

/** In the private store. */
export function picturesFile (privateStore: string): string {
  return join(privateStore, 'pictures.json')
}

export async function writePictures (privateStore: string, value: Pictures): Promise<void> {
  await writeCheckedJson(picturesFile(privateStore), value)
}

/** Where a site is not to keep any. */
export async function removePictures (privateStore: string): Promise<void> {
  await rm(picturesFile(privateStore), { force: true })
}

/** Undefined where none were kept. @throws CorruptFileError */
export async function readPictures (privateStore: string): Promise<Pictures | undefined> {
  const text = await readChecked(picturesFile(privateStore))
  if (text == null) return undefined
  const { data } = pictures.safeParse(parseJson(text))
  if (data == null) throw new CorruptFileError('it is not what this software writes')
  return data
}
