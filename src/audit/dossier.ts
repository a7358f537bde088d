import { knownContent, type EntryContent, type LedgerEntry } from './entry.ts'
import { verifyLedger, type ExpectedOwner, type LedgerCheck } from './verify.ts'

/** What left for one other site, and what came from it. */
interface PartnerAccount {
  readonly peerId: string
  /** As its certificate had it when it was met last; none where it was not. */
  name?: string
  committed: number
  /** Failed, and in doubt when they were written. */
  others: number
  bytesSent: number
  bytesReceived: number
  first: string
  last: string
}

/** What left in one month (UTC). */
interface MonthAccount {
  readonly month: string
  exchanges: number
  bytesSent: number
  bytesReceived: number
}

/** A membership event, or scores that were told to all. */
interface Told {
  readonly t: string
  readonly what: string
  readonly detail: string
}

/** What a ledger says in sum, for who asks what left this site. */
export interface Dossier {
  readonly check: LedgerCheck
  readonly from: string | undefined
  readonly to: string | undefined
  readonly rounds: number
  readonly partners: readonly PartnerAccount[]
  readonly months: readonly MonthAccount[]
  readonly scores: readonly Told[]
  readonly membership: readonly Told[]
  /** How often, by what was refused and why. */
  readonly refusals: ReadonlyMap<string, number>
  /** Of the last release, where the federation promises differential privacy. */
  readonly privacy: { readonly t: string, readonly epsilon: number, readonly unit: string } | undefined
}

/** Whoever knocks may give names of its own to what it asks for. */
const MOST_REASONS = 100

type Known = NonNullable<ReturnType<typeof knownContent>>

/** Reads and verifies a ledger, and sums it up. */
export async function readDossier (folder: string, owner: ExpectedOwner): Promise<Dossier> {
  const sum = new Sum()
  const check = await verifyLedger(folder, owner, sum.add)
  return { check, ...sum.result() }
}

class Sum {
  #from: string | undefined
  #to: string | undefined
  #rounds = 0
  #privacy: Dossier['privacy']
  readonly #names = new Map<string, string>()
  readonly #partners = new Map<string, PartnerAccount>()
  readonly #months = new Map<string, MonthAccount>()
  readonly #refusals = new Map<string, number>()
  readonly #scores: Told[] = []
  readonly #membership: Told[] = []

  readonly add = (entry: LedgerEntry): void => {
    this.#from ??= entry.t
    this.#to = entry.t
    const known = knownContent(entry)
    if (known != null) this.#take(known)
  }

  result (): Omit<Dossier, 'check'> {
    for (const [peerId, name] of this.#names) {
      const account = this.#partners.get(peerId)
      if (account != null) account.name = name
    }
    return {
      from: this.#from,
      to: this.#to,
      rounds: this.#rounds,
      partners: [...this.#partners.values()].sort((a, b) => b.bytesSent - a.bytesSent || (a.peerId < b.peerId ? -1 : 1)),
      months: [...this.#months.values()],
      scores: this.#scores,
      membership: this.#membership,
      refusals: this.#refusals,
      privacy: this.#privacy
    }
  }

  #take (known: Known): void {
    if (known.kind === 'exchange') this.#exchange(known)
    if (known.kind === 'membership') this.#member(known)
    if (known.kind === 'refusal') this.#refused(`${known.what}: ${known.reason}`, 1 + (known.more ?? 0))
    if (known.kind === 'ban') this.#refused(`cut off: ${known.reason}`, 1)
    if (known.kind === 'round') this.#rounds++
    if (known.kind === 'release') this.#privacy = { t: known.t, epsilon: known.epsilon, unit: known.unit }
    if (known.kind === 'scores') this.#told(known)
  }

  #exchange ({ t, partner, outcome, bytesSent = 0, bytesReceived = 0 }: Extract<Known, { kind: 'exchange' }>): void {
    const account = this.#partners.get(partner) ??
      { peerId: partner, committed: 0, others: 0, bytesSent: 0, bytesReceived: 0, first: t, last: t }
    account[outcome === 'committed' ? 'committed' : 'others']++
    account.last = t
    this.#partners.set(partner, account)
    const name = t.slice(0, 7)
    const month = this.#months.get(name) ?? { month: name, exchanges: 0, bytesSent: 0, bytesReceived: 0 }
    month.exchanges++
    this.#months.set(name, month)
    for (const sum of [account, month]) {
      sum.bytesSent += bytesSent
      sum.bytesReceived += bytesReceived
    }
  }

  #member ({ t, event, peer, detail = '' }: Extract<EntryContent, { kind: 'membership' }> & { readonly t: string }): void {
    if (event === 'certified') this.#names.set(peer, detail.replace(/^\S+ /, ''))
    // Every connection certifies anew.
    else this.#membership.push({ t, what: event, detail: [peer, detail].filter((each) => each !== '').join(', ') })
  }

  #told ({ t, adapter, round, classes }: Extract<Known, { kind: 'scores' }>): void {
    this.#scores.push({ t, what: `adapter ${adapter.slice(0, 12)} of round ${round}`, detail: `${classes} classes` })
  }

  #refused (what: string, times: number): void {
    const known = this.#refusals.has(what) || this.#refusals.size < MOST_REASONS ? what : 'for other reasons'
    this.#refusals.set(known, (this.#refusals.get(known) ?? 0) + times)
  }
}
