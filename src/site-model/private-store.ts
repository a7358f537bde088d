import { join } from 'node:path'
import { PrivateSet } from '../adapter/private-set.ts'
import { readFloatTensors, writeSafetensors } from '../adapter/safetensors.ts'
import { CorruptFileError } from '../errors.ts'
import { NO_CHECKSUM, requireChecksum, withChecksum } from '../home/checksum.ts'
import { keepPrevious, makePrivateFolder, readIfThere, writeFileSafely } from '../home/files.ts'

export interface PrivateCheckpoint {
  /** The last whose experts are in it. */
  readonly round: number
  /** The last whose phase G changed what the method keeps of the global parameters; 0 where it keeps nothing. */
  readonly keptRound?: number
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

  /** `replaces`: the newest checkpoint is of a round that is repeated, and the one before it stays. */
  async save ({ round, keptRound = 0, set }: PrivateCheckpoint, { replaces = false } = {}): Promise<void> {
    await makePrivateFolder(this.#folder)
    if (!replaces) await keepPrevious(this.#current, this.#previous)
    const kept = keptRound === 0 ? {} : { kept_round: String(keptRound) }
    const metadata = { round: String(round), ...kept, schema_hash: this.#schemaHash, ...NO_CHECKSUM }
    await writeFileSafely(this.#current, withChecksum([writeSafetensors(set.reveal(), metadata)])[0]!)
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

  /** The checkpoint before the newest; undefined where there is none, or none that can be read. */
  async loadPrevious (): Promise<PrivateCheckpoint | undefined> {
    const bytes = await readIfThere(this.#previous)
    try {
      return bytes == null ? undefined : this.#parse(bytes)
    } catch (error) {
      if (error instanceof CorruptFileError) return undefined
      throw error
    }
  }

  #parse (bytes: Uint8Array): PrivateCheckpoint {
    requireChecksum(bytes)
    const { tensors, metadata } = readFloatTensors(bytes)
    if (metadata['schema_hash'] !== this.#schemaHash) throw new CorruptFileError('it belongs to another federation model')
    return { round: Number(metadata['round']), keptRound: Number(metadata['kept_round'] ?? 0), set: new PrivateSet(tensors) }
  }

  get #current (): string {
    return join(this.#folder, 'experts.safetensors')
  }

  get #previous (): string {
    return join(this.#folder, 'experts.previous.safetensors')
  }
}
