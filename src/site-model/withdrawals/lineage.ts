import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../../common/parse-json.ts'
import { CorruptFileError } from '../../errors.ts'
import { readChecked, writeCheckedJson } from '../../home/checksum.ts'

const NAME = 'lineage.json'

const count = z.number().int().min(0)
/** The first and the last round; without a last one it goes on. */
const span = z.union([z.tuple([count]), z.tuple([count, count])])
const part = z.strictObject({ side: z.enum(['train', 'validation', 'both']), spans: z.array(span) })

const file = z.strictObject({
  /** The last round in which this site trained. */
  round: count,
  /** The home had trained before this was kept: whoever was there then counts as having been there since the first round. */
  assumed: z.boolean(),
  subjects: z.record(z.string(), part)
})

type Part = z.infer<typeof part>
type Content = z.infer<typeof file>
export type Side = Part['side']

/** In which rounds a subject's images took part, each span first and last. */
export interface SubjectRounds {
  /** How in the last of them: trained on, scored by, or both, where it is the site's only one. */
  readonly side: Side
  readonly rounds: ReadonlyArray<readonly [first: number, last: number]>
  /** The first of them is not known, and taken for round 1. */
  readonly assumed: boolean
}

/** In which rounds the images of whom took part, by hashes; it never leaves the home. */
export class Lineage {
  readonly #path: string
  #content: Content | undefined
  readonly warnings: string[] = []

  private constructor (path: string) {
    this.#path = path
  }

  /** A damaged one is said in `warnings`, and begins anew as one of a home that trained before. */
  static async open (privateStore: string): Promise<Lineage> {
    const lineage = new Lineage(join(privateStore, NAME))
    lineage.#content = await lineage.#read()
    return lineage
  }

  /**
   * A phase of training in this round is about to begin with these subjects. `earlier`: who was there when the home trained before this
   * start.
   */
  async note (round: number, subjects: ReadonlyMap<string, Side>, earlier: ReadonlySet<string>): Promise<void> {
    const before = this.#content
    if (before != null && before.round >= round && isSame(before.subjects, subjects)) return
    this.#content = before == null ? begun(round, subjects, earlier) : goneOn(before, round, subjects)
    await writeCheckedJson(this.#path, this.#content)
  }

  /** Undefined for one who never took part. */
  of (id: string): SubjectRounds | undefined {
    const { round, assumed, subjects } = this.#content ?? { round: 0, assumed: false, subjects: {} }
    const own = Object.hasOwn(subjects, id) ? subjects[id] : undefined
    if (own == null) return undefined
    return { side: own.side, rounds: own.spans.map(([from, to]) => [from, to ?? round]), assumed: assumed && own.spans[0]?.[0] === 1 }
  }

  async #read (): Promise<Content | undefined> {
    const text = await readChecked(this.#path).catch((error: unknown) => {
      if (error instanceof CorruptFileError) return ''
      throw error
    })
    if (text == null) return undefined
    const { data } = file.safeParse(parseJson(text))
    if (data == null) {
      this.warnings.push(
        `${this.#path} is damaged: in which rounds each subject took part is not known any more, and taken for all until now`
      )
    }
    return data
  }
}

function begun (round: number, subjects: ReadonlyMap<string, Side>, earlier: ReadonlySet<string>): Content {
  const parts = [...subjects].map(([id, side]): [string, Part] => [id, opened(undefined, side, earlier.has(id) ? 1 : round)])
  return { round, assumed: [...subjects.keys()].some((id) => earlier.has(id)), subjects: Object.fromEntries(parts) }
}

function goneOn (before: Content, round: number, subjects: ReadonlyMap<string, Side>): Content {
  const parts = new Map(Object.entries(before.subjects).map(([id, each]) => [id, subjects.has(id) ? each : closed(each, before.round)]))
  for (const [id, side] of subjects) parts.set(id, opened(parts.get(id), side, round))
  return { round: Math.max(round, before.round), assumed: before.assumed, subjects: Object.fromEntries(parts) }
}

function closed ({ side, spans }: Part, last: number): Part {
  return { side, spans: spans.map(([from, to]) => [from, to ?? last]) }
}

function opened (before: Part | undefined, side: Side, first: number): Part {
  const spans = before?.spans ?? []
  return { side, spans: isOpen(spans) ? spans : [...spans, [first]] }
}

function isOpen (spans: Part['spans']): boolean {
  return spans.at(-1)?.length === 1
}

function isSame (before: Content['subjects'], subjects: ReadonlyMap<string, Side>): boolean {
  const open = Object.entries(before).filter(([, { spans }]) => isOpen(spans))
  return open.length === subjects.size && open.every(([id, { side }]) => subjects.get(id) === side)
}
