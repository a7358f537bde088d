import { join } from 'node:path'
import { CorruptFileError, InputError } from '../errors.ts'
import { readIfThere } from '../home/files.ts'
import { Chain, type ChainPoint } from './chain.ts'
import type { LedgerEntry } from './entry.ts'
import { readLedgerHead, type Head } from './head.ts'
import { HEAD, readSegment, segmentName, segmentsIn, type Lines } from './segments.ts'

export interface LedgerCheck extends ChainPoint {
  readonly ok: boolean
  readonly files: number
  readonly peerId?: string
  /** What was edited, is missing or does not belong there; one sentence each. */
  readonly problems: readonly string[]
  /** What a reader should know although nothing is wrong. */
  readonly notes: readonly string[]
}

export interface ExpectedOwner {
  readonly peerId: string
  readonly federation: string
  /** A point of the ledger that somebody wrote down earlier: it must still be there. */
  readonly point?: ChainPoint
}

/** Checks the whole ledger of a folder: every line, every link, and the signed head. `onEntry` sees every entry that holds. */
export async function verifyLedger (
  folder: string,
  expected: ExpectedOwner,
  onEntry: (entry: LedgerEntry) => void = () => {}
): Promise<LedgerCheck> {
  // Before the lines: a daemon may be writing, and then they are ahead of it, never behind.
  const headFile = await readIfThere(join(folder, HEAD))
  const segments = await segmentsIn(folder)
  if (headFile == null && segments.length === 0) {
    throw new InputError(`there is no audit ledger in ${folder}: it begins when the daemon first starts`)
  }
  const head = headFile == null ? { wrong: 'it is missing' } : await readLedgerHead(headFile)
  const walk = new Walk(head, expected, onEntry)
  await walk.through(folder, segments)
  return walk.result(segments.length)
}

function damagedOf (error: unknown): Lines & { readonly damaged?: string } {
  if (error instanceof CorruptFileError) return { lines: [], torn: 0, damaged: error.message }
  throw error
}

/** One pass over the files. */
class Walk {
  readonly #head: Head | { readonly wrong: string }
  readonly #expected: ExpectedOwner
  readonly #onEntry: (entry: LedgerEntry) => void
  readonly #chain = new Chain()
  readonly #problems: string[] = []
  readonly #notes: string[] = []
  #pointSeen = false

  constructor (head: Head | { readonly wrong: string }, expected: ExpectedOwner, onEntry: (entry: LedgerEntry) => void) {
    this.#head = head
    this.#expected = expected
    this.#onEntry = onEntry
    if ('wrong' in head) this.#problems.push(`the signed head (${HEAD}) does not hold: ${head.wrong}`)
    else if (head.peerId !== expected.peerId) this.#problems.push(`the signed head is of ${head.peerId}, not of this site`)
    else if (head.federation !== expected.federation) this.#problems.push('the signed head is of another federation')
  }

  async through (folder: string, segments: readonly number[]): Promise<void> {
    for (const [position, index] of segments.entries()) {
      if (index !== position + 1) {
        this.#problems.push(`the file ${segmentName(position + 1)} is missing`)
        return
      }
      const { lines, torn, damaged } = await readSegment(folder, index).catch(damagedOf) as ReturnType<typeof damagedOf>
      const wrong = damaged ?? this.#lines(lines)
      if (wrong != null) {
        this.#problems.push(`${segmentName(index)}: ${wrong}`)
        return
      }
      if (torn > 0) this.#torn(torn, index, position === segments.length - 1)
    }
  }

  result (files: number): LedgerCheck {
    const head = this.#head
    if (!('wrong' in head) && this.#problems.length === 0) this.#compare(head)
    const { point } = this.#expected
    if (point != null && !this.#pointSeen) {
      this.#problems.push(`entry ${point.count} is not the one that was noted earlier: the ledger was replaced or cut off before it`)
    }
    return {
      ok: this.#problems.length === 0,
      ...this.#chain.point,
      files,
      problems: this.#problems,
      notes: this.#notes,
      ...('wrong' in head ? {} : { peerId: head.peerId })
    }
  }

  #lines (lines: readonly Buffer[]): string | undefined {
    const { point } = this.#expected
    for (const line of lines) {
      const entry = this.#chain.accept(line)
      if ('wrong' in entry) return entry.wrong
      const { count, hash } = this.#chain.point
      if (!('wrong' in this.#head) && count === this.#head.count && hash !== this.#head.hash) {
        return `entry ${count} was changed or replaced: the signed head covers another`
      }
      if (point != null && count === point.count && hash === point.hash) this.#pointSeen = true
      this.#remark(entry)
      this.#onEntry(entry)
    }
    return undefined
  }

  #remark (entry: LedgerEntry): void {
    if (entry.kind !== 'start') return
    if (entry.damaged != null) this.#notes.push(`the ledger before this one was put aside on ${entry.t}, because ${entry.damaged}`)
    if ((entry.unattested ?? 0) > 0) {
      this.#notes.push(
        `entries ${entry.seq - entry.unattested!} to ${
          entry.seq - 1
        } were written in the last second before a crash and are vouched for by nobody`
      )
    }
  }

  #torn (bytes: number, index: number, last: boolean): void {
    if (last && !('wrong' in this.#head) && !this.#head.closed) {
      this.#notes.push(`the last ${bytes} bytes are an unfinished entry: the next start removes it`)
    } else this.#problems.push(`${segmentName(index)}: it ends in the middle of an entry`)
  }

  #compare (head: Head): void {
    const { count } = this.#chain.point
    const after = count - head.count
    if (after < 0) {
      this.#problems.push(`${-after} ${-after === 1 ? 'entry is' : 'entries are'} missing at the end: the signed head covers ${head.count}`)
    } else if (after > 0 && head.closed) {
      this.#problems.push(`${after} ${after === 1 ? 'entry was' : 'entries were'} added after the daemon had closed the ledger`)
    } else if (after > 0) {
      this.#notes.push(
        `the last ${after} ${
          after === 1 ? 'entry is' : 'entries are'
        } not yet under the signed head: the daemon is running, or ended without notice`
      )
    }
  }
}
