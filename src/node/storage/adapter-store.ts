import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Adapter, adapterFromSafetensors, adapterToSafetensors } from '../../adapter/adapter.ts'
import type { Schema } from '../../adapter/schema.ts'
import { CorruptFileError } from '../../errors.ts'
import type { SitePaths } from '../paths.ts'
import { keepPrevious, readIfThere, writeFileSafely } from './files.ts'

export interface SavedAdapter {
  readonly values: Float32Array
  /** Rounds whose training has landed in the values. */
  readonly round: number
}

/** The site's current adapter on disk, the one before it, and one file per finished round. */
export class AdapterStore {
  readonly #paths: SitePaths
  readonly #schema: Schema
  readonly #now: () => number
  #last: Promise<void> = Promise.resolve()
  readonly warnings: string[] = []

  constructor (init: { paths: SitePaths, schema: Schema, now: () => number }) {
    this.#paths = init.paths
    this.#schema = init.schema
    this.#now = init.now
  }

  /** Durable when it resolves; saves run one after the other. */
  async save (state: SavedAdapter & { weight: number }): Promise<void> {
    const bytes = this.#encode(state)
    this.#last = this.#last.catch(() => {}).then(async () => {
      await keepPrevious(this.#paths.adapter, this.#previous)
      await writeFileSafely(this.#paths.adapter, bytes)
    })
    await this.#last
  }

  async saveInitial (values: Float32Array): Promise<void> {
    await writeFileSafely(this.#paths.initialAdapter, this.#encode({ values, round: 0, weight: 0 }))
  }

  async saveRound (state: SavedAdapter & { weight: number }): Promise<void> {
    await mkdir(this.#paths.roundAdapters, { recursive: true })
    await writeFileSafely(join(this.#paths.roundAdapters, `round-${String(state.round).padStart(4, '0')}.safetensors`), this.#encode(state))
  }

  /** The newest adapter that can be read; a damaged one is said in `warnings` and passed over. @throws SchemaError for another federation's. */
  async load (): Promise<SavedAdapter | undefined> {
    for (const path of [this.#paths.adapter, this.#previous]) {
      const bytes = await readIfThere(path)
      if (bytes == null) continue
      try {
        const { adapter, round } = adapterFromSafetensors(this.#schema, bytes)
        return { values: adapter.values, round }
      } catch (error) {
        if (!(error instanceof CorruptFileError)) throw error
        this.warnings.push(`${path} is damaged (${error.message}): the checkpoint before it is used`)
      }
    }
    return undefined
  }

  #encode ({ values, round, weight }: SavedAdapter & { weight: number }): Uint8Array {
    return adapterToSafetensors(new Adapter(this.#schema, values), { round, weight, savedAt: this.#now() })
  }

  get #previous (): string {
    return this.#paths.adapter.replace(/\.safetensors$/, '.previous.safetensors')
  }
}
