import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../../common/parse-json.ts'
import { readSafetensors, safetensorsHeader } from '../../adapter/safetensors.ts'
import { CorruptFileError } from '../../errors.ts'
import { NO_CHECKSUM, requireChecksum, withChecksum } from '../../home/checksum.ts'
import { isThere, namesIn, readIfThere, writePartsSafely } from '../../home/files.ts'
import { EMPTY_POOL, type Pool, type PoolEntry, type PoolStore } from '../../model/pseudo/pool.ts'

const NAME = 'pseudo-masks.safetensors'
/** Since when nobody has written to a file that is still aside. */
const CUT_MS = 60_000

interface PoolFileInit {
  readonly schemaHash: string
  /** Told of a file that cannot be used. */
  readonly onProblem: (reason: string) => void
  /** Whether a subject was withdrawn since the images were read: what was made of them does not stay then. */
  readonly isOutdated: () => Promise<boolean>
}

const measure = z.number().min(0)
const described = z.strictObject({ key: z.string(), of: z.number().int().min(0), absolute: measure, relative: measure, departure: measure })
const index = z.array(described)

/**
 * Of a site from which a subject was withdrawn: a trainer that runs keeps what is of the others, and rounds to come fill it anew. What a
 * write left that was cut goes, too.
 */
export async function removePool (folder: string): Promise<void> {
  await rm(join(folder, NAME), { force: true })
  const names = await isThere(folder) ? await namesIn(folder) : []
  for (const path of names.filter((each) => each.startsWith(`${NAME}.`)).map((each) => join(folder, each))) {
    // What is younger a trainer may be writing, which removes it itself.
    const found = await stat(path).catch(() => undefined)
    if (found != null && Date.now() - found.mtimeMs > CUT_MS) await rm(path, { force: true })
  }
}

/** A site's pseudo-masks on its own disk, a byte for each cell: made of pixels, so for nobody else to read, under names that are hashes. */
export class PoolFile implements PoolStore {
  readonly #folder: string
  readonly #path: string
  readonly #init: PoolFileInit
  #known: Pool | undefined

  constructor (folder: string, init: PoolFileInit) {
    this.#folder = folder
    this.#path = join(folder, NAME)
    this.#init = init
  }

  /** An empty one where there is none, or none of this model that can be read: rounds to come fill it anew. */
  async load (): Promise<Pool> {
    this.#known ??= await this.#read()
    return this.#known
  }

  /** Where it is of a subject who was withdrawn meanwhile, it is known to this process alone. */
  async save (pool: Pool): Promise<void> {
    this.#known = pool
    if (await this.#init.isOutdated()) return
    await this.#write(pool)
    // Who withdraws says so first and removes the file then: it goes here, or there.
    const isOutdated = await this.#init.isOutdated().catch(async (error: unknown) => {
      await removePool(this.#folder)
      throw error
    })
    if (isOutdated) await removePool(this.#folder)
  }

  async #write (pool: Pool): Promise<void> {
    const all = [...pool.images].flatMap(([key, classes]) => classes.flatMap((entries, of) => entries.map((entry) => ({ key, of, entry }))))
    const metadata = {
      round: String(pool.round),
      schema_hash: this.#init.schemaHash,
      classes: String(Math.max(0, ...[...pool.images.values()].map(({ length }) => length))),
      ...NO_CHECKSUM
    }
    const text = Buffer.from(JSON.stringify(all.map(({ key, of, entry }) => ({ key, of, ...entry.measures }))))
    const cells = all[0]?.entry.shares.length ?? 0
    const shapes = new Map([['masks', { shape: [all.length, cells] }], ['index', { shape: [text.length] }]])
    const parts = [safetensorsHeader(shapes, metadata, 'U8'), ...all.map(({ entry }) => entry.shares), text] as const
    await writePartsSafely(this.#path, withChecksum(parts))
  }

  async #read (): Promise<Pool> {
    const bytes = await readIfThere(this.#path)
    if (bytes == null) return EMPTY_POOL
    try {
      return this.#parse(bytes)
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      return this.#emptied(`is damaged (${error.message})`)
    }
  }

  #emptied (reason: string): Pool {
    this.#init.onProblem(`${this.#path} ${reason}: pseudo-masks are made anew`)
    return EMPTY_POOL
  }

  #parse (bytes: Uint8Array): Pool {
    requireChecksum(bytes)
    const { tensors, metadata } = readSafetensors(bytes)
    if (metadata['schema_hash'] !== this.#init.schemaHash) return this.#emptied('is of another model')
    const { masks, index: text } = Object.fromEntries(tensors)
    const found = index.safeParse(parseJson(Buffer.from(text?.data as Uint8Array | undefined ?? []).toString('utf8')))
    const [round, classes] = [Number(metadata['round']), Number(metadata['classes'])]
    const isOurs = found.success && masks?.dtype === 'U8' && masks.shape[0] === found.data.length && Number.isInteger(round) &&
      found.data.every(({ of }) => of < classes)
    if (!isOurs) throw new CorruptFileError('it is not what this software writes')
    const images = new Map<string, PoolEntry[][]>()
    const cells = masks.shape[1]!
    for (const [i, { key, of, ...measures }] of found.data.entries()) {
      const own = images.get(key) ?? Array.from({ length: classes }, () => [])
      own[of]!.push({ shares: Uint8Array.from((masks.data as Uint8Array).subarray(i * cells, (i + 1) * cells)), measures })
      images.set(key, own)
    }
    return { round, images }
  }
}
