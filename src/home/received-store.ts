import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readFloatTensors, writeSafetensors } from '../adapter/safetensors.ts'
import { CorruptFileError } from '../errors.ts'
import { NO_CHECKSUM, requireChecksum, withChecksum } from './checksum.ts'
import { makePrivateFolder, namesIn, readIfThere, writeFileSafely } from './files.ts'

const NAME = /^([a-z-]+)\.(\w+)\.safetensors$/
const TENSOR = 'values'

/** What a site showed. */
export interface ReceivedPublication {
  readonly kind: string
  readonly peer: string
  readonly round: number
  /** SHA-256 of the values as they came, hex. */
  readonly digest: string
  readonly values: Float32Array
}

/** Publications on this site's disk, the newest of each kind and site: those of others, and in a folder of their own this site's. */
export class ReceivedStore {
  readonly #folder: string
  readonly #schemaHash: string

  constructor (folder: string, schemaHash: string) {
    this.#folder = folder
    this.#schemaHash = schemaHash
  }

  /** Those that can be read; what is damaged is removed, and pulled again. */
  async load (): Promise<ReceivedPublication[]> {
    const found: ReceivedPublication[] = []
    for (const name of (await namesIn(this.#folder)).sort()) {
      const [, kind, peer] = NAME.exec(name) ?? []
      const bytes = kind == null ? undefined : await readIfThere(join(this.#folder, name))
      if (kind == null || peer == null || bytes == null) continue
      const read = this.#read(bytes)
      if (read == null) await rm(join(this.#folder, name), { force: true })
      else found.push({ kind, peer, ...read })
    }
    return found
  }

  async save ({ kind, peer, round, digest, values }: ReceivedPublication): Promise<void> {
    await makePrivateFolder(this.#folder)
    const metadata = { round: String(round), digest, schema_hash: this.#schemaHash, ...NO_CHECKSUM }
    const bytes = writeSafetensors(new Map([[TENSOR, { shape: [values.length], data: values }]]), metadata)
    await writeFileSafely(this.#path(kind, peer), withChecksum([bytes])[0]!)
  }

  /** All of it, when the federation ends here. */
  async remove (): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  #path (kind: string, peer: string): string {
    return join(this.#folder, `${kind}.${peer}.safetensors`)
  }

  #read (bytes: Uint8Array): Pick<ReceivedPublication, 'round' | 'digest' | 'values'> | undefined {
    try {
      requireChecksum(bytes)
      const { tensors, metadata } = readFloatTensors(bytes)
      const { round, digest = '', schema_hash: schema } = metadata
      const values = tensors.get(TENSOR)?.data
      return values == null || schema !== this.#schemaHash ? undefined : { round: Number(round), digest, values }
    } catch (error) {
      if (error instanceof CorruptFileError) return undefined
      throw error
    }
  }
}
