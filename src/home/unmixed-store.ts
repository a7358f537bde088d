import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Adapter, adapterFileParts, adapterFromSafetensors } from '../adapter/adapter.ts'
import type { Schema } from '../adapter/schema.ts'
import { CorruptFileError } from '../errors.ts'
import type { Landed } from '../gossip-aggregation/unmixed.ts'
import { NO_CHECKSUM, requireChecksum, withChecksum } from './checksum.ts'
import { namesIn, readIfThere, writePartsSafely } from './files.ts'

const NAME = /^steps-(\d{10})-(\d{10})\.safetensors$/

type Span = Pick<Landed, 'from' | 'until'>

/**
 * What a site trained that no other site has yet, one file per landing, named by the steps trained before it and at its end. A file is
 * there before the checkpoint that names its steps, and gone after the one that says that they arrived; what neither names does not
 * count.
 */
export class UnmixedStore {
  /** Files that could not be read, one plain sentence each. */
  readonly warnings: string[] = []
  readonly #folder: string
  readonly #schema: Schema
  readonly #saved = new Map<string, Span>()

  constructor ({ folder, schema }: { folder: string, schema: Schema }) {
    this.#folder = folder
    this.#schema = schema
  }

  async load (): Promise<Landed[]> {
    const landed: Landed[] = []
    for (const name of (await namesIn(this.#folder)).sort()) {
      const [, from = NaN, until = NaN] = NAME.exec(name)?.map(Number) ?? []
      const bytes = Number.isNaN(until) ? undefined : await readIfThere(join(this.#folder, name))
      if (bytes == null) continue
      this.#saved.set(name, { from, until })
      try {
        requireChecksum(bytes)
        landed.push({ from, until, delta: adapterFromSafetensors(this.#schema, bytes).adapter.values })
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
    for (const { from, until, delta } of landed) {
      const name = nameOf({ from, until })
      if (this.#saved.has(name)) continue
      const parts = withChecksum(adapterFileParts(new Adapter(this.#schema, delta), { round: 0, weight: 0, ...NO_CHECKSUM }))
      await writePartsSafely(join(this.#folder, name), parts)
      this.#saved.set(name, { from, until })
    }
  }

  /** A checkpoint of these is durable: what arrived at another site, and parts of what they sum up, are not needed any more. */
  async settle (arrived: number, landed: readonly Span[]): Promise<void> {
    await this.#drop((each) => each.until <= arrived || landed.some((sum) => isPart(each, sum)))
  }

  /** At a start: what no checkpoint holds is trained again, under the same number. */
  async dropBeyond (trained: number): Promise<void> {
    await this.#drop(({ until }) => until > trained)
  }

  async #drop (which: (span: Span) => boolean): Promise<void> {
    for (const [name] of [...this.#saved].filter(([, span]) => which(span))) {
      await rm(join(this.#folder, name), { force: true })
      this.#saved.delete(name)
    }
  }
}

function isPart (part: Span, sum: Span): boolean {
  return sum.from <= part.from && part.until <= sum.until && sum.until - sum.from > part.until - part.from
}

function nameOf ({ from, until }: Span): string {
  const [first, last] = [from, until].map((each) => String(each).padStart(10, '0'))
  return `steps-${first}-${last}.safetensors`
}
