import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Adapter, adapterFileParts, adapterFromSafetensors } from '../adapter/adapter.ts'
import type { Schema } from '../adapter/schema.ts'
import { parseJson } from '../common/parse-json.ts'
import { CorruptFileError } from '../errors.ts'
import type { SealedDelta } from '../gossip-aggregation/groups/sealed-delta.ts'
import { NO_CHECKSUM, readChecked, requireChecksum, withChecksum, writeCheckedJson } from './checksum.ts'
import { namesIn, readIfThere, writePartsSafely } from './files.ts'

const NAME = /^delta-(\d{10})\.safetensors$/
const USED = 'used.json'
const usedSchema = z.object({ until: z.number().int().min(0) })

/**
 * What a site trained and no group has carried, one numbered file per checkpoint, which names it: the file is there before the
 * checkpoint, and the one before stays for the checkpoint before. Beside them, up to which step of training it may have been seen.
 */
export class SealedStore {
  /** What could not be read, one plain sentence each. */
  readonly warnings: string[] = []
  readonly #folder: string
  readonly #schema: Schema
  #last = 0

  constructor ({ folder, schema }: { folder: string, schema: Schema }) {
    this.#folder = folder
    this.#schema = schema
  }

  /** Of the checkpoint that names this number; undefined where the file is gone or damaged, which is said in `warnings`. */
  async load (number: number): Promise<Float32Array | undefined> {
    this.#last = number
    const path = this.#path(number)
    try {
      const bytes = await readIfThere(path)
      if (bytes == null) throw new CorruptFileError('it is not there')
      requireChecksum(bytes)
      return adapterFromSafetensors(this.#schema, bytes).adapter.values
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      this.warnings.push(`${path} is damaged (${error.message}): what this site trained since its last group is lost`)
      return undefined
    }
  }

  /** Durable when it resolves; the number is for the checkpoint to name. */
  async save (delta: SealedDelta): Promise<number> {
    const number = ++this.#last
    const adapter = new Adapter(this.#schema, delta.reveal())
    await writePartsSafely(this.#path(number), withChecksum(adapterFileParts(adapter, { round: 0, weight: 0, ...NO_CHECKSUM })))
    return number
  }

  /** The checkpoint that names it is durable. */
  async settle (number: number): Promise<void> {
    for (const each of await this.#numbers()) if (each < number - 1) await rm(this.#path(each), { force: true })
  }

  /** Step up to which the training may have been seen; of a damaged file, `trained`: then it waits for what is new. */
  async used (trained: number): Promise<number> {
    const path = join(this.#folder, USED)
    const text = await readChecked(path).catch((error: unknown) => {
      if (error instanceof CorruptFileError) return ''
      throw error
    })
    if (text == null) return 0
    const { data } = usedSchema.safeParse(parseJson(text))
    if (data == null) this.warnings.push(`${path} is damaged: what this site has trained so far waits for its next round of training`)
    return data?.until ?? trained
  }

  async use (until: number): Promise<void> {
    await writeCheckedJson(join(this.#folder, USED), { until })
  }

  async #numbers (): Promise<number[]> {
    return (await namesIn(this.#folder)).flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number)
  }

  #path (number: number): string {
    return join(this.#folder, `delta-${String(number).padStart(10, '0')}.safetensors`)
  }
}
