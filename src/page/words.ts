import { knownContent, type EntryContent, type LedgerEntry } from '../audit/entry.ts'

type Kind = EntryContent['kind']
type Of<K extends Kind> = Extract<EntryContent, { kind: K }>

/** "3.1 MB", "140 kB", "62 B". */
export function size (bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** "2026-11-30 07:15" of an ISO time, in UTC. */
export function minute (iso: string): string {
  return iso.slice(0, 16).replace('T', ' ')
}

const SAYS: { readonly [K in Kind]: (entry: Of<K>) => string } = {
  start: ({ damaged }) => damaged == null ? 'the site started' : `the site started with a new ledger: ${damaged}`,
  stop: ({ reason }) => `the site stopped (${reason})`,
  connection: ({ peer, direction, event }) => `${direction} connection ${event === 'open' ? 'with' : 'ended with'} ${peer}`,
  refusal: ({ peer, what, reason, more = 0 }) => `refused ${what} of ${peer}${more > 0 ? ` ${more + 1} times` : ''}: ${reason}`,
  ban: ({ peer, reason }) => `cut off ${peer}: ${reason}`,
  round: ({ round, exchanges, bytesSent, bytesReceived }) =>
    `round ${round} ended: ${exchanges} exchanges, ${size(bytesSent)} sent, ${size(bytesReceived)} received`,
  release: ({ round, epsilon, unit }) => `released what was trained in round ${round}; epsilon ${epsilon.toFixed(2)} per ${unit} so far`,
  publication: ({ what, peer }) => `showed ${what} to ${peer}`,
  membership: ({ event, peer, detail }) => `${event}: ${peer}${detail == null ? '' : `, ${detail}`}`,
  scores: ({ round, classes }) => `told all sites the scores of round ${round}, ${classes} classes`,
  withdrawal: ({ event }) => event === 'withdrawn' ? 'a subject was withdrawn from training' : 'a withdrawn subject was admitted again',
  lost: ({ entries }) => `${entries} entries could not be written`,
  exchange: ({ partner, outcome, round, bytesSent, bytesReceived, reason }) =>
    `exchange with ${partner} in round ${round} ${outcome === 'doubt' ? 'is in doubt' : outcome}${
      bytesSent == null || bytesReceived == null ? '' : `: ${size(bytesSent)} sent, ${size(bytesReceived)} received`
    }${reason == null ? '' : ` (${reason})`}`,
  settled: ({ partner, outcome }) => `the exchange in doubt with ${partner} was ${outcome}`,
  group: ({ round, outcome, members = [] }) =>
    `masked group of ${members.length} in round ${round} ${outcome === 'doubt' ? 'is in doubt' : outcome}`
}

/** One line of the ledger for whoever does not know it; `named` puts names in the place of peer ids. */
export function entryInWords (entry: LedgerEntry, named: (text: string) => string): string {
  const known = knownContent(entry)
  if (known == null) return `an entry of newer software (${entry.kind})`
  const says = SAYS[known.kind] as (content: EntryContent) => string
  return named(says(known))
}
