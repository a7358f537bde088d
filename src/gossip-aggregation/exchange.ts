import type { Schema } from '../adapter/schema.ts'
import { ProtocolError } from '../errors.ts'
import { release, sumOfSquares, type Released } from './release.ts'

export type Role = 'initiator' | 'responder'

/** What each side states about itself in Offer and Accept. */
export interface Terms {
  readonly round: number
  /** Constant mass w in the averages, > 0. */
  readonly mass: number
  /** Largest ‖d‖ that this side lets one exchange apply. */
  readonly clipRadius: number
}

export interface Offer extends Terms {
  readonly schemaHash: string
  readonly codecs: readonly string[]
}

/** What an exchange did, once it is committed. */
export interface Outcome {
  readonly partner: string
  readonly role: Role
  readonly partnerRound: number
  readonly partnerMass: number
  /** ‖x_j − x_i‖ before clipping. */
  readonly distance: number
  readonly clipped: boolean
}

/** What an exchange needs of its site. */
export interface Site {
  readonly schema: Schema
  readonly values: Float32Array
  readonly normBound: number
  readonly terms: Terms
  /** @throws ProtocolError or RefusedError when the partner's terms cannot be met by what this side stated. */
  check (theirs: Terms, own: Terms): void
  /** x ← x + factor·difference, all at once. */
  apply (difference: Float32Array, factor: number): void
  closed (exchange: Exchange, end: 'committed' | 'aborted' | 'doubt'): void
}

export type Phase = 'offered' | 'open' | 'verified' | 'committing' | 'closed'

/**
 * One pairwise exchange at one side (DESIGN §7): offered → open → verified → (committing →) closed. Until `commit` nothing has changed.
 * The responder alone decides, by committing before it says so; an initiator whose Committed is lost ends in doubt with x unchanged, and Σw·x is
 * then off by that one exchange, because nothing here settles it later.
 */
export class Exchange {
  readonly partner: string
  readonly role: Role
  /** What this side stated; what it says in its Offer or Accept. */
  readonly terms: Terms
  readonly #site: Site
  #phase: Phase = 'offered'
  #theirs: Terms | undefined
  #released: Released | undefined
  #difference = new Float32Array(0)
  #received = 0
  #squares = 0
  #theirSquares = 0

  constructor (site: Site, { partner, role }: { partner: string, role: Role }) {
    this.#site = site
    this.partner = partner
    this.role = role
    this.terms = site.terms
  }

  get phase (): Phase {
    return this.#phase
  }

  /** The partner's terms are known: from here both sides stream. */
  open (theirs: Terms): void {
    this.#expect('offered')
    this.#site.check(theirs, this.terms)
    this.#theirs = theirs
    this.#phase = 'open'
  }

  /** Takes the copy that is sent through the release gate; iterate it to its end before `outgoing` and `receive`. */
  * prepare (): Generator<void, void> {
    this.#expect('open')
    const released = yield * release(this.#site.schema, this.#site.values, this.#site)
    this.#difference = new Float32Array(released.values.length)
    this.#released = released
  }

  /** A view of the released numbers begin … end. */
  outgoing (begin: number, end: number): Float32Array {
    this.#expect('open')
    return this.#copy().subarray(begin, end)
  }

  /** The partner's next numbers, in order; d is formed here. ProtocolError for too many, not finite, or too large ones. */
  receive (values: Float32Array): void {
    this.#expect('open')
    const own = this.#copy()
    const begin = this.#received
    if (begin + values.length > own.length) throw new ProtocolError(`the partner sent more than the schema's ${own.length} numbers`)
    this.#theirSquares += sumOfSquares(values)
    if (!Number.isFinite(this.#theirSquares)) throw new ProtocolError('the partner sent a number that is not finite')
    if (Math.sqrt(this.#theirSquares) > this.#site.normBound) throw new ProtocolError(`the partner's adapter is over the norm bound ${this.#site.normBound}`)
    const difference = this.#difference.subarray(begin, begin + values.length)
    for (let i = 0; i < values.length; i++) difference[i] = values[i]! - own[begin + i]!
    this.#squares += sumOfSquares(difference)
    this.#received += values.length
  }

  /** Both vectors are complete and the digest was right: this side could commit. */
  verify (): void {
    this.#expect('open')
    const { length } = this.#copy()
    if (this.#received !== length) throw new ProtocolError(`the partner sent ${this.#received} of the schema's ${length} numbers`)
    if (!Number.isFinite(this.#squares)) throw new ProtocolError('the partner\'s numbers differ from ours by more than a float can hold')
    this.#phase = 'verified'
  }

  /** Initiator: Commit is about to leave; from here only the responder knows. */
  committing (): void {
    this.#expect('verified')
    this.#phase = 'committing'
  }

  /** Applies the difference to whatever x is by now. Responder: before saying Committed. Initiator: on Committed. */
  commit (): Outcome {
    this.#expect(this.role === 'initiator' ? 'committing' : 'verified')
    const theirs = this.#partnerTerms()
    const distance = Math.sqrt(this.#squares)
    const radius = Math.min(this.terms.clipRadius, theirs.clipRadius)
    const clip = distance > radius ? radius / distance : 1
    this.#site.apply(this.#difference, clip * theirs.mass / (this.terms.mass + theirs.mass))
    this.#close('committed')
    return { partner: this.partner, role: this.role, partnerRound: theirs.round, partnerMass: theirs.mass, distance, clipped: clip < 1 }
  }

  /** Ends it at whatever point; once Commit has left it ends in doubt. Safe to call again. */
  abort (): void {
    if (this.#phase !== 'closed') this.#close(this.#phase === 'committing' ? 'doubt' : 'aborted')
  }

  #close (end: 'committed' | 'aborted' | 'doubt'): void {
    this.#phase = 'closed'
    this.#released = undefined
    this.#difference = new Float32Array(0)
    this.#site.closed(this, end)
  }

  #copy (): Float32Array {
    if (this.#released == null) throw new ProtocolError('the exchange streams before its vector passed the release gate')
    return this.#released.values
  }

  #partnerTerms (): Terms {
    if (this.#theirs == null) throw new ProtocolError('the exchange commits before the partner stated its terms')
    return this.#theirs
  }

  #expect (phase: Phase): void {
    if (this.#phase !== phase) throw new ProtocolError(`the exchange with ${this.partner} is ${this.#phase}, not ${phase}`)
  }
}
