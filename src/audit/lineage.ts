import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isThere } from '../home/files.ts'
import { sitePaths } from '../home/paths.ts'
import { ledgerOf } from './account.ts'
import { knownContent, type LedgerEntry } from './entry.ts'
import { HEAD, segmentsIn } from './segments.ts'
import { verifyLedger, type ExpectedOwner } from './verify.ts'

/** Something that left a site with what its training had learnt in it. */
export interface Departure {
  /** ISO 8601. */
  readonly t: string
  readonly kind: 'exchange' | 'group' | 'publication' | 'scores'
  readonly round: number
  /** Of the exchange or group. */
  readonly id?: string
  /** Who got it; nobody is named where all did. */
  readonly partner?: string
  readonly outcome?: string
  readonly bytesSent?: number
}

interface Departures {
  readonly departures: readonly Departure[]
  /** Why some may be missing. */
  readonly problems: readonly string[]
}

/** What left from this round on up to this time, by all ledgers of the home: those of former keys and of before a restoration, too. */
export async function departuresSince (
  home: string,
  { round, until }: { readonly round: number, readonly until: string }
): Promise<Departures> {
  const departures: Departure[] = []
  const problems: string[] = []
  for (const { folder, owner } of await ledgersOf(home)) {
    const { ok, problems: found } = await verifyLedger(folder, owner, (entry) => {
      const left = entry.t <= until ? departureOf(entry) : undefined
      if (left != null && left.round >= round) departures.push(left)
    })
    if (!ok) problems.push(`the ledger in ${folder} does not verify: ${found[0]}`)
  }
  return { departures: departures.sort((a, b) => a.t < b.t ? -1 : a.t > b.t ? 1 : 0), problems }
}

async function ledgersOf (home: string): Promise<{ readonly folder: string, readonly owner: ExpectedOwner }[]> {
  const { audit } = sitePaths(home)
  const own = await ledgerOf(home)
  const names = (await readdir(home)).sort()
  const former = `${basename(audit)}-`
  const asides = ['before', 'damaged'].map((why) => `${basename(audit)}.${why}-`)
  const isAside = (name: string): boolean => asides.some((each) => name.startsWith(each))
  const formers = names.filter((name) => name.startsWith(former)).map(async (name) => await ledgerOf(home, name.slice(former.length)))
  const all = [
    ...await Promise.all(formers),
    ...names.filter(isAside).map((name) => ({ ...own, folder: join(home, name) })),
    own
  ]
  const begun = await Promise.all(all.map(async ({ folder }) => await isThere(join(folder, HEAD)) || (await segmentsIn(folder)).length > 0))
  return all.filter((_, at) => begun[at])
}

/** An exchange that failed before a byte had left is none. */
function departureOf (entry: LedgerEntry): Departure | undefined {
  const known = knownContent(entry)
  if (known == null) return undefined
  const { t, kind } = known
  if (kind === 'scores') return { t, kind, round: known.round }
  if (kind === 'publication') return { t, kind, round: known.round, partner: known.peer }
  if (kind !== 'exchange' && kind !== 'group') return undefined
  const { id, round, outcome, bytesSent } = known
  if (outcome === 'failed' && bytesSent === 0) return undefined
  const partner = kind === 'exchange' ? known.partner : known.leader
  return { t, kind, round, id, partner, outcome, ...bytesSent == null ? {} : { bytesSent } }
}
