import { readFloatTensors, writeSafetensors, type NamedTensor } from '../adapter/safetensors.ts'
import { tensorsDigest } from '../adapter/tensors-digest.ts'
import { CorruptFileError, InputError } from '../errors.ts'
import { readIfThere, writeFileSafely } from './files.ts'

/** Where a site keeps the adapter that its federation starts from, and the digest that its document has of it. */
export interface StartAdapter {
  readonly file: string
  readonly digest: string
}

export type Tensors = ReadonlyMap<string, NamedTensor>

/** Nothing for a federation that starts from the seed. */
export function startAdapterOf (file: string, start: { readonly adapter: string } | undefined): StartAdapter | undefined {
  return start == null ? undefined : { file, digest: start.adapter }
}

/** @throws InputError where the file is missing or another one, and says where to put it */
export async function readStartAdapter ({ file, digest }: StartAdapter): Promise<Tensors> {
  const advice = 'ask who founded it for the file, and give it with "consilium join INVITATION --from FILE", or put it there'
  const bytes = await readIfThere(file)
  if (bytes == null) {
    throw new InputError(`the federation starts from the adapter ${shortDigest(digest)}, and ${file} is not there: ${advice}`)
  }
  const { tensors } = adapterFile(file, bytes)
  requireStart(file, tensors, digest, advice)
  return tensors
}

/** @throws InputError for other numbers than the document has the digest of; `where` names their source */
export function requireStart (where: string, tensors: Tensors, digest: string, advice = 'name the file that it was founded with'): void {
  const found = tensorsDigest(tensors)
  if (found === digest) return
  throw new InputError(
    `${where} holds the adapter ${shortDigest(found)}, and the federation starts from ${shortDigest(digest)}: ${advice}`
  )
}

export async function writeStartAdapter (file: string, tensors: Tensors): Promise<void> {
  await writeFileSafely(file, writeSafetensors(tensors, { format: 'pt' }))
}

/** @throws InputError for a file that is none */
export function adapterFile (file: string, bytes: Uint8Array): ReturnType<typeof readFloatTensors> {
  try {
    return readFloatTensors(bytes)
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    throw new InputError(`${file} is damaged, or no adapter (${error.message}): take the file that "consilium export" wrote once more`)
  }
}

/** Of a digest, what a person compares. */
export function shortDigest (digest: string): string {
  return digest.slice(0, 12)
}
