import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Adapter, adapterFileParts, adapterFromSafetensors } from '../adapter/adapter.ts'
import type { Schema } from '../adapter/schema.ts'
import { parseJson } from '../common/parse-json.ts'
import { CorruptFileError } from '../errors.ts'
import type { AveragerState } from '../gossip-aggregation/averager-types.ts'
import type { SiteConfig } from '../settings/site/site-config.ts'
import { NO_CHECKSUM, readChecked, requireChecksum, withChecksum, writeCheckedJson } from './checksum.ts'
import { isThere, keepPrevious, namesIn, readIfThere, writePartsSafely } from './files.ts'
import type { SitePaths } from './paths.ts'

const count = z.number().int().min(0)
const atLeast0 = z.number().min(0)
const sketch = z.array(z.number())
const influence = z.object({
  step: atLeast0,
  alone: atLeast0,
  partners: z.object({
    seed: count,
    accounts: z.array(z.object({
      root: z.string(),
      left: atLeast0,
      level: atLeast0,
      hasPushed: z.boolean(),
      sum: sketch,
      pulls: sketch,
      lengths: atLeast0,
      times: atLeast0
    }))
  }).optional()
})
const notesSchema = z.object({
  included: z.array(z.string()),
  learnt: z.object({
    clip: z.object({ radius: z.number().positive(), recent: z.array(z.number().min(0)) }),
    distance: z.number().min(0).nullable(),
    own: influence.optional()
  }),
  // None in homes of software before 0.2.0.
  steps: z.object({ trained: count, arrived: count, lost: count }).optional(),
  finished: z.object({ round: count, trained: count }).optional(),
  /** Number of the file with what is sealed. */
  sealed: count.optional()
})

const bestOfRounds = z.object({ round: count, dice: z.number().min(0).max(1), sites: count, images: z.number().min(0) })

/** The round with the best score in the federation, the score, and how many sites and validation images it is of. */
export type BestOfRounds = Readonly<z.infer<typeof bestOfRounds>>

/** What the checkpoint says beside the adapter: which of the log's exchanges it contains, what was learnt from them, and its training. */
export type SiteNotes = Pick<AveragerState, 'included' | 'learnt'> & {
  readonly steps?: AveragerState['steps'] | undefined
  readonly finished?: FinishedRound | undefined
  readonly sealed?: number | undefined
}

/** The last round that came to its end, and the steps trained by then: the log of metrics may be lost. */
export interface FinishedRound {
  readonly round: number
  readonly trained: number
}

export interface SavedAdapter {
  readonly values: Float32Array
  /** Rounds whose training has landed in the values. */
  readonly round: number
}

type Written = SavedAdapter & { readonly weight: number, readonly notes?: SiteNotes }

/** The site's current adapter on disk, the one before it, and one file per finished round. */
export class AdapterStore {
  readonly #paths: SitePaths
  readonly #schema: Schema
  readonly #now: () => number
  readonly #config: Partial<SiteConfig>
  #last: Promise<void> = Promise.resolve()
  readonly warnings: string[] = []

  constructor (init: { paths: SitePaths, schema: Schema, now: () => number, config?: Partial<SiteConfig> }) {
    this.#paths = init.paths
    this.#schema = init.schema
    this.#now = init.now
    this.#config = init.config ?? {}
  }

  /** Durable when it resolves, and `values` stay as they are until then; saves run one after the other. */
  async save (state: Written & { readonly notes: SiteNotes }): Promise<void> {
    const parts = this.#encode(state)
    this.#last = this.#last.catch(() => {}).then(async () => {
      await keepPrevious(this.#paths.adapter, this.#previous)
      await writePartsSafely(this.#paths.adapter, parts)
    })
    await this.#last
  }

  /** `values` stay as they are until it resolves, here and in `saveRound`. */
  async saveInitial (values: Float32Array): Promise<void> {
    await writePartsSafely(this.#paths.initialAdapter, this.#encode({ values, round: 0, weight: 0 }))
  }

  /** The oldest go once the setting keepRounds is exceeded, and never before the new one is durable. */
  async saveRound (state: Written): Promise<void> {
    await writePartsSafely(roundFile(this.#paths.roundAdapters, state.round), this.#encode(state))
    const { keepRounds = 0 } = this.#config
    if (keepRounds > 0) await removeOldRounds(this.#paths.roundAdapters, state.round, keepRounds)
  }

  /** Keeps this site's adapter of that round beside the last; false where it is not there any more. */
  async keepBest (best: BestOfRounds): Promise<boolean> {
    if ((await this.loadBest())?.round !== best.round) {
      const bytes = await readIfThere(roundFile(this.#paths.roundAdapters, best.round))
      if (bytes == null) return false
      await writePartsSafely(this.#paths.bestAdapter, [bytes])
    }
    await writeCheckedJson(this.#paths.bestRound, best)
    return true
  }

  /** Undefined where none was found yet, or the file is damaged, which is said in `warnings`: it is found anew. */
  async loadBest (): Promise<BestOfRounds | undefined> {
    const text = await readChecked(this.#paths.bestRound).catch((error: unknown) => {
      if (!(error instanceof CorruptFileError)) throw error
      return ''
    })
    if (text == null) return undefined
    const { data } = bestOfRounds.safeParse(parseJson(text))
    if (data == null) this.warnings.push(`${this.#paths.bestRound} is damaged: the best round is found anew`)
    return data != null && await isThere(this.#paths.bestAdapter) ? data : undefined
  }

  /**
   * The newest adapter that can be read; a damaged one is said in `warnings` and passed over. @throws SchemaError for another
   * federation's.
   */
  async load (): Promise<SavedAdapter & { readonly notes: SiteNotes | undefined } | undefined> {
    for (const path of [this.#paths.adapter, this.#previous]) {
      const bytes = await readIfThere(path)
      if (bytes == null) continue
      try {
        requireChecksum(bytes)
        const { adapter, round, notes } = adapterFromSafetensors(this.#schema, bytes)
        return { values: adapter.values, round, notes: readNotes(notes) }
      } catch (error) {
        if (!(error instanceof CorruptFileError)) throw error
        this.warnings.push(`${path} is damaged (${error.message}): the checkpoint before it is used`)
      }
    }
    return undefined
  }

  #encode ({ values, round, weight, notes }: Written): Uint8Array[] {
    return withChecksum(adapterFileParts(new Adapter(this.#schema, values), {
      round,
      weight,
      savedAt: this.#now(),
      ...NO_CHECKSUM,
      ...(notes == null ? {} : { notes: JSON.stringify(notes) })
    }))
  }

  get #previous (): string {
    return this.#paths.adapter.replace(/\.safetensors$/, '.previous.safetensors')
  }
}

/** Where the adapter of a round lies. */
export function roundFile (folder: string, round: number): string {
  return join(folder, `round-${String(round).padStart(4, '0')}.safetensors`)
}

/** Rounds whose adapters are kept. */
export async function roundsIn (folder: string): Promise<number[]> {
  const numbers = (await namesIn(folder)).map((name) => Number(/^round-(\d+)\.safetensors$/.exec(name)?.[1] ?? NaN))
  return numbers.filter(Number.isInteger).sort((a, b) => a - b)
}

/** Keeps the newest `kept` files up to this round, and whatever else lies there. */
async function removeOldRounds (folder: string, round: number, kept: number): Promise<void> {
  const files = (await readdir(folder)).flatMap((name) => {
    const number = Number(/^round-(\d+)\.safetensors$/.exec(name)?.[1] ?? NaN)
    return number <= round ? [{ name, number }] : []
  })
  const old = files.toSorted((a, b) => b.number - a.number).slice(kept)
  await Promise.all(old.map(async ({ name }) => { await rm(join(folder, name), { force: true }) }))
}

/** @throws CorruptFileError for notes that this site did not write. */
function readNotes (text: string | undefined): SiteNotes | undefined {
  if (text == null) return undefined
  const { data } = notesSchema.safeParse(parseJson(text))
  if (data == null) throw new CorruptFileError('the notes beside the adapter cannot be read')
  return data
}
