import { knownContent, type LedgerEntry, type ExchangeContent } from './entry.ts'

// Last words (Committed, Settled) may be lost without harm.
const LAST_WORDS_BYTES = 64
// Clocks of two hospitals may differ by this much.
const SKEW_MS = 5_000

type Seen = ExchangeContent & { readonly t: string }
interface Settled {
  readonly outcome: 'committed' | 'aborted'
  readonly sentDigest?: string | undefined
  readonly receivedDigest?: string | undefined
}
interface Window {
  readonly from: number
  readonly to: number
}

/** What one ledger says about exchanges. */
export class LedgerAccount {
  readonly peerId: string
  readonly exchanges = new Map<string, Seen>()
  readonly settled = new Map<string, Settled>()
  /** From the last entry before a crash to the start after it. */
  readonly crashes: Window[] = []
  #last: { t: number, kind: string } | undefined

  constructor (peerId: string) {
    this.peerId = peerId
  }

  readonly add = (entry: LedgerEntry): void => {
    const known = knownContent(entry)
    const t = Date.parse(entry.t)
    if (known?.kind === 'exchange') this.exchanges.set(known.id, known)
    if (known?.kind === 'settled') this.settled.set(known.id, known)
    if (entry.kind === 'start' && this.#last != null && this.#last.kind !== 'stop') this.crashes.push({ from: this.#last.t, to: t })
    this.#last = { t, kind: entry.kind }
  }

  /** Nothing is known of what came later than this; a ledger that was closed in order is complete. */
  get openFrom (): number {
    return this.#last == null ? 0 : this.#last.t - (this.#last.kind === 'stop' ? 0 : SKEW_MS)
  }

  /** The state in which this site left the exchange; undefined when its ledger does not know it. */
  stateOf (id: string): 'committed' | 'failed' | 'doubt' | undefined {
    const settled = this.settled.get(id)
    if (settled != null) return settled.outcome === 'committed' ? 'committed' : 'failed'
    return this.exchanges.get(id)?.outcome
  }

  digestsOf (id: string): { sent: string | undefined, received: string | undefined } {
    const [exchange, settled] = [this.exchanges.get(id), this.settled.get(id)]
    return { sent: exchange?.sentDigest ?? settled?.sentDigest, received: exchange?.receivedDigest ?? settled?.receivedDigest }
  }
}

export interface Reconciliation {
  readonly ok: boolean
  /** Committed at both sites, with what one sent being what the other received. */
  readonly matched: number
  /** Changed nothing at either site. */
  readonly failed: number
  /** Only one ledger has the end, and why that is no contradiction. */
  readonly explained: readonly { readonly id: string, readonly why: string }[]
  readonly differences: readonly { readonly id: string, readonly what: string }[]
}

/** Holds two sites' ledgers against each other, exchange by exchange. */
export function reconcile (a: LedgerAccount, b: LedgerAccount): Reconciliation {
  const ids = new Set([...idsWith(a, b.peerId), ...idsWith(b, a.peerId)])
  const explained: { id: string, why: string }[] = []
  const differences: { id: string, what: string }[] = []
  let [matched, failed] = [0, 0]
  for (const id of ids) {
    const states = [a.stateOf(id), b.stateOf(id)]
    if (!states.includes('committed')) {
      if (states.includes('doubt')) explained.push({ id, why: 'in doubt and not settled yet: the sites did not meet again' })
      else failed++
      continue
    }
    const found = states.every((state) => state === 'committed') ? unequal(id, a, b) : half(id, a, b)
    if ('what' in found) differences.push(...found.what.map((what) => ({ id, what })))
    else if (found.why == null) matched++
    else explained.push({ id, why: found.why })
  }
  return { ok: differences.length === 0, matched, failed, explained, differences }
}

function idsWith ({ exchanges, settled }: LedgerAccount, partner: string): string[] {
  const of = (map: ReadonlyMap<string, { readonly partner?: string }>): string[] =>
    [...map].filter(([, each]) => each.partner === partner).map(([id]) => id)
  return [...of(exchanges), ...of(settled as ReadonlyMap<string, { readonly partner?: string }>)]
}

type Finding = { readonly what: readonly string[] } | { readonly why: string | undefined }

function unequal (id: string, a: LedgerAccount, b: LedgerAccount): Finding {
  const recovered = [a, b].find(({ exchanges }) => exchanges.get(id)?.recovered === true)
  if (recovered != null) {
    return {
      why:
        `committed at both; ${recovered.peerId} crashed before its entry was on disk and has it from its log of exchanges, without digests`
    }
  }
  const what = [...sentAndReceived(id, a, b), ...sentAndReceived(id, b, a)]
  const [left, right] = [a.exchanges.get(id), b.exchanges.get(id)]
  if (left != null && right != null) {
    if (left.role === right.role) what.push(`both sites say that they were the ${left.role}`)
    if (left.partnerRound != null && left.partnerRound !== right.round) {
      what.push(`round ${right.round} of ${b.peerId} is ${left.partnerRound} for ${a.peerId}`)
    }
    if (right.partnerRound != null && right.partnerRound !== left.round) {
      what.push(`round ${left.round} of ${a.peerId} is ${right.partnerRound} for ${b.peerId}`)
    }
    what.push(...arrivedAndCame(a.peerId, left, right), ...arrivedAndCame(b.peerId, right, left))
  }
  return what.length > 0 ? { what } : { why: undefined }
}

/** Of the training of the site `peerId`, as it says itself and as its partner says. */
function arrivedAndCame (peerId: string, { steps }: Seen, { partnerSteps }: Seen): string[] {
  if (steps == null || partnerSteps == null || steps === partnerSteps) return []
  return [`${steps} training steps of ${peerId} arrived by its own ledger and ${partnerSteps} by its partner's`]
}

function sentAndReceived (id: string, from: LedgerAccount, to: LedgerAccount): string[] {
  const { sent } = from.digestsOf(id)
  const { received } = to.digestsOf(id)
  if (sent == null || received == null) {
    return [`the ledger of ${sent == null ? from.peerId : to.peerId} has no digest of what ${from.peerId} sent`]
  }
  const what = sent === received ? [] : [`${from.peerId} sent another vector than ${to.peerId} received`]
  return [...what, ...bytesSentAndReceived(from, from.exchanges.get(id), to, to.exchanges.get(id))]
}

function bytesSentAndReceived (from: LedgerAccount, sent: Seen | undefined, to: LedgerAccount, received: Seen | undefined): string[] {
  if (sent?.outcome !== 'committed' || received?.outcome !== 'committed' || sent.bytesSent == null || received.bytesReceived == null) {
    return []
  }
  if (Math.abs(sent.bytesSent - received.bytesReceived) <= LAST_WORDS_BYTES) return []
  return [`${from.peerId} sent ${sent.bytesSent} bytes and ${to.peerId} received ${received.bytesReceived}`]
}

/** Committed at one site only. */
function half (id: string, a: LedgerAccount, b: LedgerAccount): Finding {
  const [has, lacks] = a.stateOf(id) === 'committed' ? [a, b] : [b, a]
  const state = lacks.stateOf(id)
  if (state === 'doubt') return { why: `committed at ${has.peerId}; ${lacks.peerId} has it in doubt and has not settled it yet` }
  if (state === 'failed') return { what: [`${has.peerId} committed it and ${lacks.peerId} says that it failed`] }
  const t = Date.parse(has.exchanges.get(id)?.t ?? '')
  if (t > lacks.openFrom) return { why: `it is later than the last entry of ${lacks.peerId}` }
  if (lacks.crashes.some(({ from, to }) => t >= from - SKEW_MS && t <= to + SKEW_MS)) {
    return { why: `${lacks.peerId} crashed before its entry was on disk` }
  }
  return { what: [`${has.peerId} committed it and ${lacks.peerId} does not know it`] }
}
