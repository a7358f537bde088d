import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PrivateSet } from '../adapter/private-set.ts'
import { readFloatTensors, writeSafetensors } from '../adapter/safetensors.ts'
import { CorruptFileError } from '../errors.ts'
import { keepPrevious, readIfThere, writeFileSafely } from '../home/files.ts'

export interface PrivateCheckpoint {
  readonly round: number
  readonly set: PrivateSet
}

/** Experts and optimiser state on the site's own disk: the newest checkpoint and the one before it. */
export class PrivateStore {
  readonly #folder: string
  readonly #schemaHash: string
  readonly warnings: string[] = []

  constructor (folder: string, schemaHash: string) {
    this.#folder = folder
    this.#schemaHash = schemaHash
  }

  async save ({ round, set }: PrivateCheckpoint): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await keepPrevious(this.#current, this.#previous)
    const metadata = { round: String(round), schema_hash: this.#schemaHash }
    await writeFileSafely(this.#current, writeSafetensors(set.reveal(), metadata), 0o600)
  }

  /** The newest checkpoint that can be read; a damaged one is said in `warnings` and passed over. */
  async load (): Promise<PrivateCheckpoint | undefined> {
    for (const path of [this.#current, this.#previous]) {
      const bytes = await readIfThere(path)
      if (bytes == null) continue
      try {
        return this.#parse(bytes)
      } catch (error) {
        if (!(error instanceof CorruptFileError)) throw error
        this.warnings.push(`${path} is damaged (${error.message}): the checkpoint before it is used`)
      }
    }
    return undefined
  }

  #parse (bytes: Uint8Array): PrivateCheckpoint {
    const { tensors, metadata } = readFloatTensors(bytes)
    if (metadata['schema_hash'] !== this.#schemaHash) throw new CorruptFileError('it belongs to another federation model')
    return { round: Number(metadata['round']), set: new PrivateSet(tensors) }
  }

  get #current (): string {
    return join(this.#folder, 'experts.safetensors')
  }

  get #previous (): string {
    return join(this.#folder, 'experts.previous.safetensors')
  }
}
