import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../home/files.ts'
import { knownContent, parseLine, type LedgerEntry } from './entry.ts'
import { readSegment, segmentName, segmentsIn, splitLines } from './segments.ts'

/** The end of a ledger as it lies on disk: not verified. */
export interface LedgerTail {
  /** Oldest first. */
  readonly entries: readonly LedgerEntry[]
  /** Other sites with whom an exchange or a group was committed since the last round ended, and how often. */
  readonly exchanged: ReadonlyMap<string, number>
}

/** Some hundreds of entries; a round has fewer. */
const MOST_BYTES = 2 ** 18
const FEW = 100

/** The last entries of the ledger in a folder, also while a daemon writes there; none where there is none. */
export async function readTail (folder: string): Promise<LedgerTail> {
  const segments = await segmentsIn(folder)
  const last = segments.at(-1)
  if (last == null) return { entries: [], exchanged: new Map() }
  let lines = await lastLines(folder, last)
  if (lines.length < FEW && segments.length > 1) lines = [...(await readSegment(folder, segments.at(-2)!)).lines.slice(-FEW), ...lines]
  const entries = lines.map(parseLine).filter((entry) => entry != null)
  return { entries, exchanged: exchangedIn(entries) }
}

async function lastLines (folder: string, segment: number): Promise<readonly Buffer[]> {
  const file = await open(join(folder, segmentName(segment))).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (file == null) return (await readSegment(folder, segment)).lines
  try {
    const { size } = await file.stat()
    const length = Math.min(size, MOST_BYTES)
    const bytes = Buffer.alloc(length)
    const { bytesRead } = await file.read(bytes, 0, length, size - length)
    const { lines } = splitLines(bytes.subarray(0, bytesRead))
    // The first one may lack its beginning.
    return length < size ? lines.slice(1) : lines
  } finally {
    await file.close()
  }
}

function exchangedIn (entries: readonly LedgerEntry[]): Map<string, number> {
  const since = entries.slice(entries.findLastIndex(({ kind }) => kind === 'round') + 1)
  const partners = since.flatMap((entry): readonly string[] => {
    const known = knownContent(entry)
    if (known?.kind === 'exchange') return known.outcome === 'committed' ? [known.partner] : []
    if (known?.kind === 'settled') return known.outcome === 'committed' ? [known.partner] : []
    return known?.kind === 'group' && known.outcome === 'committed' ? known.members ?? [] : []
  })
  return new Map([...Map.groupBy(partners, (id) => id)].map(([id, all]) => [id, all.length]))
}
