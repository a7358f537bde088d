import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseJson } from '../common/parse-json.ts'
import type { Side, Sides } from '../dataset/index.ts'
import { CorruptFileError, InputError } from '../errors.ts'
import { readChecked, writeCheckedJson } from '../home/checksum.ts'

const NAME = 'split.json'
/** What a home has in this folder once it has trained, by any version. */
const TRAINED = new Set(['experts.safetensors', 'experts.previous.safetensors', 'shown.json'])

/** What a home says of its patients' sides: in files of its own, which never leave it. */
export interface KnownSides {
  readonly known?: Sides
  /** A home that trained before its sides were kept: its first split is drawn as it was then. */
  readonly asBefore?: boolean
  /** It trained on so many when it started last. */
  readonly images?: number
  /** The folder that it trained on then. */
  readonly data?: string
  /** Of the labels that it trained on and was scored by then. */
  readonly digest?: string
}

/** @throws InputError where the file is damaged */
export async function readSides (privateStore: string): Promise<KnownSides> {
  const path = join(privateStore, NAME)
  const text = await readChecked(path).catch((error: unknown) => {
    if (error instanceof CorruptFileError) return ''
    throw error
  })
  if (text == null) return { asBefore: (await readdir(privateStore).catch(() => [])).some((name) => TRAINED.has(name)) }
  const { sides, images, data, digest } = (parseJson(text) ?? {}) as Record<'sides' | 'images' | 'data' | 'digest', unknown>
  if (!Array.isArray(sides) || !sides.every(isEntry)) {
    throw new InputError(
      `${path}, which says who is for training and who for validation, is damaged: restore it from a backup, or remove it, and the sides ` +
        'are drawn anew, so that patients may have been trained on that are validated with'
    )
  }
  return {
    known: new Map(sides),
    ...typeof images === 'number' ? { images } : {},
    ...typeof data === 'string' ? { data } : {},
    ...typeof digest === 'string' ? { digest } : {}
  }
}

/** Keeps the sides with the model that was trained by them. */
export async function keepSides (
  privateStore: string,
  { known, images, data, digest }: Required<Pick<KnownSides, 'known' | 'images' | 'data'>> & Pick<KnownSides, 'digest'>
): Promise<void> {
  await writeCheckedJson(join(privateStore, NAME), { data: resolve(data), images, digest, sides: [...known] })
}

function isEntry (entry: unknown): entry is [string, Side] {
  if (!Array.isArray(entry) || typeof entry[0] !== 'string') return false
  const side = entry[1] as unknown
  return side === 'train' || side === 'validation' || (typeof side === 'object' && side != null && isSlab(side))
}

function isSlab (side: { first?: unknown, last?: unknown, before?: unknown, after?: unknown }): boolean {
  return isPlace(side.first) && isPlace(side.last) && [side.before, side.after].every((place) => place == null || isPlace(place))
}

function isPlace (place: unknown): boolean {
  return Array.isArray(place) && place.length === 2 && Number.isFinite(place[0]) && typeof place[1] === 'string'
}
