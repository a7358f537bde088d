import { UsageError } from '../errors.ts'
import type { LedgerEntry } from './entry.ts'

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
// Shown in front, or not worth a person's eyes.
const PLACED = new Set(['seq', 't', 'kind', 'prev'])

/** A date, or a time back from now ("24h"). @throws UsageError. */
export function parseSince (text: string, now: number): number {
  const back = /^(\d{1,9})([smhd])$/.exec(text)
  const at = back == null ? Date.parse(text) : now - Number(back[1]) * UNITS[back[2]!]!
  if (Number.isNaN(at)) throw new UsageError('--since must be a date such as 2026-03-01T08:00:00Z or a time back such as 90m, 24h or 7d')
  return at
}

export function matches (entry: LedgerEntry, { since, peer }: { since: number | undefined, peer: string | undefined }): boolean {
  if (since != null && Date.parse(entry.t) < since) return false
  if (peer == null) return true
  if (entry.kind === 'group') return [entry.leader, ...entry.members ?? []].some((id) => id.endsWith(peer))
  return [entry.kind === 'exchange' || entry.kind === 'settled' ? entry.partner : 'peer' in entry ? entry.peer : undefined].some((id) =>
    id?.endsWith(peer) === true
  )
}

/** One line for a person. */
export function describeEntry (entry: LedgerEntry): string {
  const fields = Object.entries(entry).filter(([name]) => !PLACED.has(name)).map(([name, value]) => `${name} ${String(value)}`)
  return `${String(entry.seq).padStart(6)}  ${entry.t}  ${entry.kind.padEnd(10)}  ${fields.join(', ')}`
}
