import { mkdir, readdir, stat } from 'node:fs/promises'
import { join, parse } from 'node:path'
import { imageKind, listImages } from '../../dataset/index.ts'
import { CorruptFileError, InputError } from '../../errors.ts'
import { isMissing } from '../../home/files.ts'
import { placeOf } from './outputs.ts'
import type { Prediction, Predictor, PredictRequest } from './predictor.ts'
import type { Prompt } from './prompt.ts'

export interface FolderPrediction {
  readonly out: string
  readonly images: readonly Prediction[]
  /** What gave no mask, each with one sentence. */
  readonly failed: readonly { readonly file: string, readonly reason: string }[]
}

export async function isFolder (path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/**
 * Segments every image, volume or case of several channels of a folder into `out`, PNG for pictures and .nii.gz for volumes. `image`,
 * `out`, `logits` and the prompt's mask are folders here; masks go with images by name. What fails is listed and does not stop the rest.
 *
 * @throws InputError when the folder cannot be read, holds nothing to read, or is `out`
 */
export async function predictFolder (
  predictor: Pick<Predictor, 'predict'> & Partial<Pick<Predictor, 'channels'>>,
  { image: folder, out, logits, prompt = {}, onProgress, signal, ...request }: PredictRequest
): Promise<FolderPrediction> {
  await requireApart(folder, out)
  const { images, problems } = await listImages(folder, predictor.channels)
  if (images.size === 0 && problems.length === 0) throw new InputError(`${folder} holds no images: add pictures or NIfTI volumes`)
  const masks = prompt.mask == null ? undefined : await byStem(prompt.mask)
  await mkdir(out, { recursive: true })
  const done: Prediction[] = []
  const failed = problems.map(({ file, reason }) => ({ file: join(folder, file), reason }))
  for (const [index, [stem, { file }]] of [...images].entries()) {
    signal?.throwIfAborted()
    try {
      const kind = await imageKind(join(folder, file))
      done.push(await predictor.predict({
        ...request,
        image: join(folder, file),
        out: join(out, stem + (kind === 'volume' ? '.nii.gz' : '.png')),
        prompt: promptOf(prompt, masks, stem),
        logits: logits == null ? undefined : join(logits, `${stem}.safetensors`),
        signal
      }))
    } catch (error) {
      signal?.throwIfAborted()
      failed.push({ file: join(folder, file), reason: reasonOf(error) })
    }
    onProgress?.(index + 1, images.size)
  }
  return { out, images: done, failed }
}

async function requireApart (folder: string, out: string): Promise<void> {
  if (await placeOf(folder) === await placeOf(out)) {
    throw new InputError(`--out ${out} is the folder of the images, and masks would replace them: choose another`)
  }
}

/** What is wrong with one file, in words; anything else is passed on. */
function reasonOf (error: unknown): string {
  if (error instanceof InputError || error instanceof CorruptFileError) return error.message
  throw error
}

/** Paths by name before the ending. */
async function byStem (folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder)
  return new Map(names.map((name) => [parse(name.replace(/\.gz$/i, '')).name.normalize('NFC'), join(folder, name)]))
}

function promptOf (prompt: Prompt, masks: ReadonlyMap<string, string> | undefined, stem: string): Prompt {
  if (masks == null) return prompt
  const mask = masks.get(stem)
  if (mask == null) throw new InputError(`${prompt.mask} has no mask of the same name`)
  return { ...prompt, mask }
}
