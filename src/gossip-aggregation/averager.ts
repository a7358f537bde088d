import type { Schema } from '../adapter/schema.ts'
import { ProtocolError, RefusedError, SchemaError } from '../errors.ts'
import { Exchange, type Offer, type Site, type Terms } from './exchange.ts'

/** Part of the federation document's averaging settings. */
export interface AveragingSettings {
  /** No site counts for more than this. */
  readonly maxMass: number
  /** Largest ‖d‖ that one exchange may apply. */
  readonly clipRadius: number
  /** Largest ‖x‖ that the release gate lets out, or that is taken in. */
  readonly normBound: number
  /** Rounds by which two sites may differ and still exchange. */
  readonly staleness: number
}

export interface AveragerInit {
  readonly schema: Schema
  /** The site's global adapter x; copied. */
  readonly values: Float32Array
  readonly round: number
  /** Constant mass w > 0 (see massOf). */
  readonly mass: number
  readonly settings: AveragingSettings
}

type RefusalReason = 'BUSY' | 'SCHEMA' | 'STALE' | 'PAUSED'

/** Either the exchange to go on with or the reason why not. */
export type Answer = { readonly exchange: Exchange } | { readonly refused: RefusalReason }

const CODEC = 'f32'

/** A site's mass: its training images up to the federation's cap, or 1 when all sites count alike. */
export function massOf (images: number, { weighting, maxMass }: { weighting: 'images' | 'uniform', maxMass: number }): number {
  return weighting === 'uniform' ? 1 : Math.min(images, maxMass)
}

/**
 * A site's state in gossip averaging: vector x, constant mass w, round r, and at most one open exchange (DESIGN §7). Pure: no sockets, clock or randomness.
 * `land` and the commit of an exchange are one pass over x each (about 1 ms per million numbers) so that no reader sees half of either.
 */
export class Averager {
  readonly schema: Schema
  readonly mass: number
  readonly settings: AveragingSettings
  /** Offers are refused PAUSED and none are made. */
  paused = false
  readonly #values: Float32Array
  #round: number
  #exchanges = 0
  #inDoubt = 0
  #current: Exchange | undefined

  /** SchemaError when `values` are not the schema's count of finite numbers or the mass is not in (0, maxMass]. */
  constructor ({ schema, values, round, mass, settings }: AveragerInit) {
    if (values.length !== schema.size || !values.every(Number.isFinite)) throw new SchemaError(`an averager of model ${schema.model} needs ${schema.size} finite numbers`)
    if (!(mass > 0 && mass <= settings.maxMass)) throw new SchemaError(`the mass ${mass} is not in (0, ${settings.maxMass}]`)
    this.schema = schema
    this.mass = mass
    this.settings = settings
    this.#values = values.slice()
    this.#round = round
  }

  /** Live x: read it, never write it, and do not keep it. */
  get values (): Float32Array {
    return this.#values
  }

  /** Rounds of training that have landed in x. */
  get round (): number {
    return this.#round
  }

  /** Committed exchanges, in both roles. */
  get exchanges (): number {
    return this.#exchanges
  }

  /** Exchanges whose Committed never came: this side did not apply them, the partner may have. */
  get inDoubt (): number {
    return this.#inDoubt
  }

  /** An exchange is open: an offer made now throws, an offer received now gets BUSY. */
  get busy (): boolean {
    return this.#current != null
  }

  /** A copy of x: what training starts from. */
  snapshot (): Float32Array {
    return this.#values.slice()
  }

  /** Training that started from `before` has ended in `after`: x ← x + (after − before). SchemaError, and nothing changes, for another length or numbers that are not finite. */
  land (before: Float32Array, after: Float32Array, round: number): void {
    const size = this.#values.length
    if (before.length !== size || after.length !== size) throw new SchemaError(`a training result of model ${this.schema.model} has ${size} numbers, not ${after.length}`)
    for (let i = 0; i < size; i++) {
      if (!Number.isFinite(after[i]! - before[i]!)) throw new SchemaError('the training result holds a value that is not finite')
    }
    const values = this.#values
    for (let i = 0; i < size; i++) values[i] = values[i]! + (after[i]! - before[i]!)
    this.#round = round
  }

  /** Begins an exchange as initiator, and says what to offer. RefusedError with reason BUSY_HERE or PAUSED_HERE. */
  offer (partner: string): { exchange: Exchange, offer: Offer } {
    if (this.paused) throw new RefusedError('PAUSED_HERE')
    if (this.#current != null) throw new RefusedError('BUSY_HERE')
    const exchange = this.#begin(partner, 'initiator')
    return { exchange, offer: { ...exchange.terms, schemaHash: this.schema.hash, codecs: [CODEC] } }
  }

  /**
   * Decides about a partner's offer. Of two offers that cross, that of the site with the lower peer id yields.
   * @throws ProtocolError for an offer that no honest site makes.
   */
  answer ({ self, partner, offer }: { self: string, partner: string, offer: Offer }): Answer {
    this.#checkTerms(offer)
    if (offer.schemaHash !== this.schema.hash || !offer.codecs.includes(CODEC)) return { refused: 'SCHEMA' }
    if (this.#areApart(offer, this)) return { refused: 'STALE' }
    if (this.paused) return { refused: 'PAUSED' }
    if (this.#current != null) {
      const crossing = this.#current.partner === partner && this.#current.role === 'initiator' && this.#current.phase === 'offered'
      if (!crossing || self > partner) return { refused: 'BUSY' }
      this.#current.abort()
    }
    const exchange = this.#begin(partner, 'responder')
    exchange.open(offer)
    return { exchange }
  }

  #begin (partner: string, role: 'initiator' | 'responder'): Exchange {
    const exchange = new Exchange(this.#site(), { partner, role })
    this.#current = exchange
    return exchange
  }

  #site (): Site {
    const { clipRadius, normBound } = this.settings
    return {
      schema: this.schema,
      values: this.#values,
      normBound,
      terms: { round: this.#round, mass: this.mass, clipRadius },
      check: (theirs, own) => {
        this.#checkTerms(theirs)
        if (this.#areApart(theirs, own)) throw new RefusedError('STALE')
      },
      apply: (difference, factor) => {
        const values = this.#values
        for (let i = 0; i < difference.length; i++) values[i] = values[i]! + factor * difference[i]!
      },
      closed: (exchange, end) => {
        if (this.#current === exchange) this.#current = undefined
        if (end === 'committed') this.#exchanges++
        if (end === 'doubt') this.#inDoubt++
      }
    }
  }

  #checkTerms ({ round, mass, clipRadius }: Terms): void {
    if (!Number.isSafeInteger(round) || round < 0) throw new ProtocolError(`the partner states the impossible round ${round}`)
    if (!(mass > 0 && mass <= this.settings.maxMass)) throw new ProtocolError(`the partner states the mass ${mass}; it must be in (0, ${this.settings.maxMass}]`)
    if (!(clipRadius > 0 && clipRadius < Infinity)) throw new ProtocolError(`the partner states the clip radius ${clipRadius}; it must be positive`)
  }

  /** The one ahead refuses; here the one behind does so too, since it knows what the other would say. */
  #areApart (theirs: { readonly round: number }, own: { readonly round: number }): boolean {
    return Math.abs(own.round - theirs.round) > this.settings.staleness
  }
}
