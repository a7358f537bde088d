import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Adapter, adapterFileParts, adapterFromSafetensors } from '../adapter/adapter.ts'
import type { Schema } from '../adapter/schema.ts'
import { CorruptFileError } from '../errors.ts'
import type { Landed } from '../gossip-aggregation/unmixed.ts'
import { namesIn, readIfThere, writePartsSafely } from './files.ts'

const NAME = /^steps-(\d{10})\.safetensors$/

/**
 * What a site trained that no other site has yet, one file per landing, named by the steps trained at its end. A file is there before
 * the checkpoint that names its steps, and gone after the one that says that they arrived; what neither names does not count.
 */
export class UnmixedStore {
  /** Files that could not be read, one plain sentence each. */
  readonly warnings: string[] = []
  readonly #folder: string
  readonly #schema: Schema
  readonly #saved = new Set<number>()

  constructor ({ folder, schema }: { folder: string, schema: Schema }) {
    this.#folder = folder
    this.#schema = schema
  }

  async load (): Promise<Landed[]> {
    const landed: Landed[] = []
    for (const name of (await namesIn(this.#folder)).sort()) {
      const until = Number(NAME.exec(name)?.[1] ?? NaN)
      const bytes = Number.isNaN(until) ? undefined : await readIfThere(join(this.#folder, name))
      if (bytes == null) continue
      this.#saved.add(until)
      try {
        landed.push({ until, delta: adapterFromSafetensors(this.#schema, bytes).adapter.values })
      } catch (error) {
        if (!(error instanceof CorruptFileError)) throw error
        this.warnings.push(
          `${join(this.#folder, name)} is damaged (${error.message}): the adapter holds what it says, but should this site fall far ` +
            'behind now, that training would be lost'
        )
      }
    }
    return landed
  }

  /** Durable when it resolves: what is not on disk yet of this list. */
  async save (landed: readonly Landed[]): Promise<void> {
    for (const { until, delta } of landed) {
      if (this.#saved.has(until)) continue
      const parts = adapterFileParts(new Adapter(this.#schema, delta), { round: 0, weight: 0 })
      await writePartsSafely(this.#path(until), parts)
      this.#saved.add(until)
    }
  }

  /** What arrived at another site is not needed any more, once a checkpoint says so. */
  async dropArrived (arrived: number): Promise<void> {
    await this.#drop((until) => until <= arrived)
  }

  /** At a start: what no checkpoint holds is trained again, under the same number. */
  async dropBeyond (trained: number): Promise<void> {
    await this.#drop((until) => until > trained)
  }

  async #drop (which: (until: number) => boolean): Promise<void> {
    for (const until of [...this.#saved].filter(which)) {
      await rm(this.#path(until), { force: true })
      this.#saved.delete(until)
    }
  }

  #path (until: number): string {
    return join(this.#folder, `steps-${String(until).padStart(10, '0')}.safetensors`)
  }
}
