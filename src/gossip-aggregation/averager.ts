import type { Schema } from '../adapter/schema.ts'
import { ProtocolError, RefusedError, SchemaError } from '../errors.ts'
import type { AveragerInit, AveragerState, AveragerSettings, Distort } from './averager-types.ts'
import type { Codec } from './codecs/codec.ts'
import { areApart, checkMass, checkTerms } from './exchange/check-terms.ts'
import { Doubts } from './exchange/doubts.ts'
import type { Decision, ExchangeLog } from './exchange/exchange-log.ts'
import type { Offer } from './exchange/exchange-types.ts'
import { NO_CLUSTER } from './exchange/scope.ts'
import { Exchange, type ExchangeSide } from './exchange/exchange.ts'
import { MemoryExchangeLog } from './exchange/memory-log.ts'
import { Experience } from './experience.ts'
import { sealingOf, type Sealing } from './groups/sealing.ts'
import { Unmixed, type Steps } from './unmixed.ts'
import { addScaled, sumOfSquares } from './vectors/arithmetic.ts'
import { Vector } from './vectors/vector.ts'

type RefusalReason = 'BUSY' | 'SCHEMA' | 'STALE' | 'PAUSED' | 'RATE_LIMITED'

/** Either the exchange to go on with or the reason why not. */
export type AnsweredOffer = { readonly exchange: Exchange, readonly codec: Codec } | { readonly refused: RefusalReason }

/** Outcomes kept for one initiator that never says it settled; beyond these it is refused. */
const MOST_UNACKNOWLEDGED = 64

/**
 * A site's state in gossip averaging: vector x, constant mass w, round r, at most one open exchange, and at most one in doubt per
 * partner (docs/spec/gossip.md#state). Pure: no sockets, clock or randomness; what must last goes through the log it is given. `land`
 * and the commit of an exchange are done at once (1 to 4 ms per million numbers, 2 more where x is lent and must be copied), so that no
 * reader sees half of either.
 * @example
 * ```ts
 * import { Averager, createSchema } from 'consilium'
 *
 * const schema = createSchema({ model: 'toy', baseHash: '00', tensors: [{ name: 'a', shape: [2], role: 'lora' }] })
 * const settings = { codec: 'f32', maxMass: 1_000, clipRadius: 100, normBound: 10_000, staleness: 3 } as const
 * const averager = new Averager({ schema, values: new Float32Array(2), round: 0, mass: 40, settings })
 * const before = averager.snapshot()
 * averager.land(before, Float32Array.of(1, 2), 1)
 * console.log(averager.values.join(), averager.round) // 1,2 1
 * ```
 */
export class Averager {
  readonly schema: Schema
  readonly mass: number
  readonly settings: AveragerSettings
  readonly #init: Pick<AveragerInit, 'rounds' | 'reads' | 'scoped'>
  /** Offers are refused PAUSED and none are made. */
  paused = false
  /** The same, by the site's own policy. */
  withheld = false
  /** Nobody trains any more, so that quantisation is what would keep sites apart: `auto` uses q16 at least. */
  isSettling = false
  /** Whether who is behind in this round, `partner` or else this site, will catch up; who will is refused until it has. */
  willCatchUp: (round: number, partner?: string) => boolean = () => true
  /** Digest of the cluster that this site is in with a partner, hex; undefined where it is in none with it, as far as it knows. */
  scope: (partner: string) => string | undefined = () => undefined
  readonly #log: ExchangeLog
  readonly #x: Vector
  readonly #included = new Set<string>()
  readonly #doubts: Doubts
  readonly #experience: Experience
  readonly #unmixed: Unmixed
  /** Where nobody may see a site's training by itself. */
  readonly sealing: Sealing | undefined
  readonly #distort: Distort | undefined
  /** Arrays of the last exchange: fresh ones cost more than the arithmetic. */
  readonly #spare: Float32Array[] = []
  #round: number
  #exchanges = 0
  #current: Exchange | undefined

  /** SchemaError when `values` are not the schema's count of finite numbers or the mass is not in (0, maxMass], nor 0 of one that reads. */
  constructor (init: AveragerInit) {
    const { schema, values, round, mass, rounds = Infinity, settings, learnt } = init
    if (values.length !== schema.size || !values.every(Number.isFinite)) {
      throw new SchemaError(`an averager of model ${schema.model} needs ${schema.size} finite numbers`)
    }
    checkMass(init)
    this.schema = schema
    this.mass = mass
    this.#init = init
    this.settings = settings
    this.#x = new Vector(values)
    // A home of before rounds were bounded may hold what a liar claimed.
    this.#round = Math.min(round, rounds)
    this.#distort = init.distort
    this.#log = init.log ?? new MemoryExchangeLog()
    this.#doubts = new Doubts(this.#log, (id, difference, factor, carried) => { this.#apply(id, difference, factor, carried) })
    this.#unmixed = new Unmixed(init.steps, init.unmixed)
    this.#experience = new Experience(settings, init.trains, learnt)
    this.sealing = sealingOf(this, init.sealed, {
      reach: () => this.#experience.reach,
      apply: (id, mean, steps) => { this.#carried(id, mean, steps) }
    })
  }

  /** After a restart: `values` and `included` are a checkpoint's, and all that the logs committed since is done again. */
  static async recover (
    { included, ...init }: AveragerInit & { readonly log: ExchangeLog, readonly included: readonly string[] }
  ): Promise<Averager> {
    const averager = new Averager(init)
    for (const { exchangeId, size, factor, steps } of init.log.committed()) {
      if (size !== init.schema.size) throw new SchemaError(`the log holds exchange ${exchangeId} of another model`)
      if (!included.includes(exchangeId)) averager.#apply(exchangeId, await init.log.read(exchangeId), factor, steps ?? 0)
    }
    await init.log.absorb(included)
    await averager.sealing?.recover(included)
    return averager
  }

  /** Live x: read it, never write it, and do not keep it. */
  get values (): Float32Array {
    return this.#x.values
  }

  /** Rounds of training that have landed in x. */
  get round (): number {
    return this.#round
  }

  /** This site's training: in x, and at other sites. */
  get steps (): Steps {
    return this.#unmixed.steps
  }

  /** Exchanges committed since the start, in both roles. */
  get exchanges (): number {
    return this.#exchanges
  }

  /** Partners with whom an exchange that this site initiated is in doubt, each with its id. */
  get doubts (): ReadonlyMap<string, string> {
    return this.#doubts.byPartner
  }

  /** How many exchanges are in doubt. */
  get inDoubt (): number {
    return this.#doubts.byPartner.size
  }

  /** An exchange is open: an offer made now throws, an offer received now gets BUSY. */
  get busy (): boolean {
    return this.#current != null
  }

  /** This partner, whatever key it has, takes all that it may move this site by, again and again. */
  hasPushed (partner: string): boolean {
    return this.#experience.influence?.hasPushed(partner) ?? false
  }

  /** The largest ‖d‖ of the next exchange, whoever it is with. */
  get clipRadius (): number {
    return this.#experience.radius.value
  }

  /** All of it belongs together at this very moment. */
  get state (): AveragerState {
    const { steps, landed: unmixed } = this.#unmixed
    const included = [...this.#included]
    const { values, mass, sealing } = this
    return { values, round: this.#round, mass, included, learnt: this.#experience.state, steps, unmixed, sealed: sealing?.delta }
  }

  /** For a checkpoint: x stays as it is until `work` has ended, whatever is committed meanwhile. */
  async hold<T> (work: (state: AveragerState) => Promise<T>): Promise<T> {
    const held = async (): Promise<T> => await this.#x.hold(async () => await work(this.state))
    return await (this.sealing?.delta.hold(held) ?? held())
  }

  /** A checkpoint with these exchanges, and so many trained steps, in it is durable: the log may drop their d's. */
  async saved (included: readonly string[], trained = this.steps.trained): Promise<void> {
    await this.#log.absorb(included)
    await this.sealing?.saved(included, trained)
    for (const id of included) this.#included.delete(id)
  }

  /** A copy of what training starts from: x, with what is sealed of this site's own on top. For this site alone. */
  snapshot (): Float32Array {
    const copy = this.shared()
    if (this.sealing != null) addScaled(copy, 1, this.sealing.delta.reveal())
    return copy
  }

  /** A copy of x: what others may see. */
  shared (): Float32Array {
    return this.values.slice()
  }

  /**
   * Training that started from `before` has ended in `after` by so many optimiser steps: x ← x + (after − before). SchemaError, and
   * nothing changes, for another length or numbers that are not finite.
   */
  land (before: Float32Array, after: Float32Array, round: number, steps = 0): void {
    const { size } = this.schema
    if (before.length !== size || after.length !== size) {
      throw new SchemaError(`a training result of model ${this.schema.model} has ${size} numbers, not ${after.length}`)
    }
    let squares = 0
    for (let i = 0; i < size; i++) squares += (after[i]! - before[i]!) ** 2
    if (!Number.isFinite(squares)) throw new SchemaError('the training result holds a value that is not finite')
    const [values, delta] = [(this.sealing?.delta ?? this.#x).change(), new Float32Array(size)]
    for (let i = 0; i < size; i++) {
      const moved = after[i]! - before[i]!
      delta[i] = moved
      values[i] = values[i]! + moved
    }
    this.#round = round
    this.#experience.influence?.landed(Math.sqrt(squares), steps)
    if (this.sealing == null) {
      this.#unmixed.add(delta, steps)
      this.#experience.moved(Math.sqrt(squares))
    } else this.#unmixed.sealed(steps)
  }

  /** A round in which this site trains nothing: it goes on with the others. */
  pass (round: number): void {
    this.#round = Math.max(this.#round, round)
  }

  /**
   * Begins an exchange as initiator, and says what to offer. To catch up, a site that is far behind states mass 0: it takes the
   * partner's x and round over, with what it trained and no other site has yet on top, and the partner's x stays as it is. `upTo` is the
   * round that the others are in, as far as this site believes them: it takes no later one over, and moves no farther than that many
   * rounds may have brought them; where that is not far enough its round stays, and it is for another partner to go on. A site that only
   * reads does nothing else.
   * @throws RefusedError with reason BUSY_HERE, PAUSED_HERE or IN_DOUBT_HERE.
   */
  offer (partner: string, exchangeId: string, { catchUp = false, upTo = Infinity } = {}): { exchange: Exchange, offer: Offer } {
    if (this.paused || this.withheld) throw new RefusedError('PAUSED_HERE')
    if (this.#current != null) throw new RefusedError('BUSY_HERE')
    if (this.doubts.has(partner)) throw new RefusedError('IN_DOUBT_HERE')
    const side = catchUp || this.#reads ? { mass: 0, upTo } : { mass: this.mass }
    const exchange = this.#begin(partner, 'initiator', exchangeId, side)
    const { codecs } = this.#experience
    const coding = { codecs: codecs.can, want: codecs.want(this.isSettling) }
    return { exchange, offer: { ...exchange.terms, exchangeId, schemaHash: this.schema.hash, ...coding } }
  }

  /**
   * Decides about a partner's offer. Of two offers that cross, that of the site with the lower peer id yields.
   * @throws ProtocolError for an offer that no honest site makes.
   */
  answer ({ self, partner, offer }: { self: string, partner: string, offer: Offer }): AnsweredOffer {
    checkTerms(offer, this.#init, this.settings)
    if (this.#isKnown(offer.exchangeId, partner)) throw new ProtocolError('the partner offers an exchange that there was before')
    const codec = this.#experience.codecs.agreed(offer, this.isSettling)
    if (offer.schemaHash !== this.schema.hash || codec == null) return { refused: 'SCHEMA' }
    const refused = this.#refusal(self, partner, offer)
    if (refused != null) return { refused }
    // Only an own offer to this very partner, which yields, can be open here.
    this.#current?.abort()
    const exchange = this.#begin(partner, 'responder', offer.exchangeId, { mass: this.mass })
    exchange.open(offer, codec)
    return { exchange, codec }
  }

  /** The exchange is open here, or in doubt. */
  isUnsettled (exchangeId: string): boolean {
    return this.#current?.id === exchangeId || this.#log.pending().some((record) => record.exchangeId === exchangeId)
  }

  /** The partner, who decides, said what became of an exchange in doubt. Other ids do no harm. */
  async settle (exchangeId: string, verdict: Decision): Promise<void> {
    await this.#doubts.settle(exchangeId, verdict)
  }

  /**
   * The initiator asks what became of its exchange; one that is open here is aborted, bindingly, and one that is being made durable is
   * waited for. Of what is neither open nor committed nothing is kept, so it can never be committed: aborted, without a record.
   */
  async decide (exchangeId: string, partner: string): Promise<Decision> {
    const current = this.#current
    if (current?.id === exchangeId && current.partner === partner && current.role === 'responder') {
      current.abort()
      await current.ended
    }
    return this.#log.outcome(exchangeId, partner) ?? 'aborted'
  }

  /** Outcomes of this initiator's exchanges that it has not said it settled, in order of decision. */
  unacknowledged (partner: string): readonly string[] {
    return this.#log.unacknowledged(partner)
  }

  /** The initiator has settled this exchange, and with it all that were decided before it. */
  async acknowledged (exchangeId: string, partner: string): Promise<void> {
    const kept = this.#log.unacknowledged(partner)
    const through = kept.indexOf(exchangeId)
    if (through >= 0) await this.#log.forget(kept.slice(0, through + 1), partner)
  }

  #begin (partner: string, role: 'initiator' | 'responder', id: string, side: { mass: number, upTo?: number }): Exchange {
    const exchange = new Exchange(this.#site(partner, side), { id, partner, role })
    this.#current = exchange
    return exchange
  }

  #site (partner: string, { mass, upTo = Infinity }: { mass: number, upTo?: number }): ExchangeSide {
    const { settings: { normBound, codec } } = this
    const { influence } = this.#experience
    const usualRadius = this.clipRadius
    const steps = this.steps[this.sealing == null ? 'trained' : 'arrived']
    const clipRadius = this.#distort == null ? Math.min(usualRadius, influence?.radius(partner) ?? Infinity) : Number.MAX_VALUE
    const stated = mass === 0 ? Math.min(this.#experience.reachAfter(upTo - this.#round), Number.MAX_VALUE) : clipRadius
    return {
      schema: this.schema,
      x: this.#x,
      normBound,
      distort: this.#distort,
      usualRadius: this.isSettling && clipRadius < usualRadius ? Infinity : usualRadius,
      terms: {
        round: this.#round, mass, clipRadius: stated, steps, ...(this.#reads ? { reads: true } : {}), ...this.#scope(partner, mass)
      },
      scoped: this.#init.scoped,
      mixed: (into) => {
        into.set(this.values)
        this.#unmixed.takeOut(into)
        return into
      },
      adaptsCodec: codec === 'auto',
      sketchSeed: influence?.seed,
      check: (theirs, own) => {
        checkTerms(theirs, this.#init, this.settings)
        if (theirs.mass + own.mass === 0) throw new ProtocolError('neither side has any mass')
        if (areApart(theirs, own, this, partner)) throw new RefusedError('STALE')
      },
      take: () => this.#spare.pop() ?? new Float32Array(this.schema.size),
      give: (array) => { if (this.#spare.length < 2) this.#spare.push(array) },
      begin: async (head) => await this.#log.begin(head),
      settle: async (exchangeId) => { await this.#log.settle(exchangeId, 'committed') },
      apply: (exchangeId, difference, factor, carried) => { this.#apply(exchangeId, difference, factor, carried) },
      closed: (exchange, end, outcome) => {
        if (this.#current === exchange) this.#current = undefined
        if (end === 'doubt') this.#doubts.add(exchange)
        if (outcome == null) return
        const tells = this.#reads || (exchange.terms.mass > 0 && outcome.partnerMass > 0)
        if (tells) this.#experience.learn(outcome, this.isSettling)
        if (exchange.terms.mass === 0 && !outcome.clipped) this.#round = Math.max(this.#round, Math.min(outcome.partnerRound, upTo))
      }
    }
  }

  /** What has trained takes over from no other cluster what clusters average apart. */
  #scope (partner: string, mass: number): { readonly scope?: string } {
    if (this.#init.scoped == null) return {}
    const scope = this.scope(partner) ?? (mass === 0 && !this.#reads && this.steps.trained > 0 ? NO_CLUSTER : undefined)
    return scope == null ? {} : { scope }
  }

  get #reads (): boolean {
    return this.#init.reads ?? false
  }

  /** Before its own training it cannot tell what is far, and one that only reads has nothing to give. */
  get #isUntrained (): boolean {
    return this.#reads || (this.#experience.influence != null && this.#round === 0 && this.steps.trained === 0)
  }

  #carried (id: string, mean: Float32Array, steps: number): void {
    this.#x.add(1, mean)
    this.#experience.moved(Math.sqrt(sumOfSquares(mean)))
    this.#unmixed.arrive(steps)
    if (this.sealing?.holds(id) === true) this.#included.add(id)
  }

  #apply (exchangeId: string, difference: Float32Array, factor: number, carried: number): void {
    this.#x.add(factor, difference)
    this.#unmixed.arrive(carried)
    if (this.#log.committed().some((record) => record.exchangeId === exchangeId)) this.#included.add(exchangeId)
    this.#exchanges++
  }

  #refusal (self: string, partner: string, offer: Offer): RefusalReason | undefined {
    if (areApart(offer, this, this, partner)) return 'STALE'
    if (this.paused || this.withheld || this.#isUntrained) return 'PAUSED'
    if (this.doubts.has(partner)) return 'BUSY'
    if (this.#log.unacknowledged(partner).length >= MOST_UNACKNOWLEDGED) return 'RATE_LIMITED'
    const current = this.#current
    if (current == null) return undefined
    const crossing = current.partner === partner && current.role === 'initiator' && current.phase === 'offered'
    return crossing && self < partner ? undefined : 'BUSY'
  }

  #isKnown (exchangeId: string, partner: string): boolean {
    return this.isUnsettled(exchangeId) || this.#log.outcome(exchangeId, partner) != null ||
      this.#log.committed().some((record) => record.exchangeId === exchangeId)
  }
}
