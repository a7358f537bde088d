import type { Schema } from '../../adapter/schema.ts'
import { ProtocolError } from '../../errors.ts'
import type { Distort } from '../averager-types.ts'
import { clipFactor } from '../clip.ts'
import { blockNoise } from '../codecs/codec-choice.ts'
import { chunksOf, coderOf, type Chunk, type Codec } from '../codecs/codec.ts'
import type { Coder } from '../codecs/coder.ts'
import { encodeReleased, release } from '../release.ts'
import { addToSketch, SKETCH_SIZE } from '../sketch.ts'
import { subtract } from '../vectors/arithmetic.ts'
import type { Vector } from '../vectors/vector.ts'
import type { Apply } from './doubts.ts'
import type { ExchangeRole, LogEntry, RecordHead } from './exchange-log.ts'
import type { CommittedExchange, Terms } from './exchange-types.ts'
import { bar, barredBy, type Range } from './scope.ts'

/** What an exchange needs of its site. */
export interface ExchangeSide {
  readonly schema: Schema
  readonly x: Vector
  readonly normBound: number
  /** A liar's; nobody else has one. */
  readonly distort: Distort | undefined
  readonly terms: Terms
  /** What sites of one cluster alone average. */
  readonly scoped: readonly Range[] | undefined
  /** The clip radius, but for this partner's own: excess is counted in it. Infinity: its account holds it back. */
  readonly usualRadius: number
  /** The codec of the next exchange is chosen from this one's `noise`. */
  readonly adaptsCodec: boolean
  /** @throws ProtocolError or RefusedError when the partner's terms cannot be met by what this side stated. */
  check (theirs: Terms, own: Terms): void
  /** An array of the schema's size, whatever it holds. */
  readonly take: () => Float32Array
  /** What was taken and nobody reads any more. */
  give (array: Float32Array): void
  begin (head: RecordHead): Promise<LogEntry>
  settle (exchangeId: string): Promise<void>
  /** All at once. */
  readonly apply: Apply
  /** into ← x without what this site trained and no other site has. */
  readonly mixed: (into: Float32Array) => Float32Array
  /** Of d's sketch, which nobody else knows; none is made where it is missing. */
  readonly sketchSeed: number | undefined
  closed (exchange: Exchange, end: End, outcome?: Felt): void
}

/** A committed exchange, and what is of this side alone. */
export interface Felt extends CommittedExchange {
  /** The quantisation error of the vector that was sent (see blockNoise); 0 where nobody asks for it. */
  readonly noise: number
  /** Sketch of d as applied, before it is shared out by mass. */
  readonly sketch: Float64Array
}

type End = 'committed' | 'aborted' | 'doubt'
export type ExchangePhase = 'offered' | 'open' | 'verified' | 'sealing' | 'committing' | 'settling' | 'closed'

interface Streams {
  readonly theirs: Terms
  readonly codec: Codec
  readonly coder: Coder
  readonly chunks: readonly Chunk[]
  /** What of x stays as it is. */
  readonly barred: readonly Range[]
}

const EMPTY = new Float32Array(0)
/** Numbers of x from which the quantisation error is estimated. */
const SAMPLED = 2 ** 20

/**
 * One exchange at one side (docs/spec/gossip.md#states): offered → open → verified → sealing → (committing → settling →)
 * closed. Until `commit` x is as it was. The responder alone decides, by a durable record, before it says so; an initiator whose
 * Committed is lost ends in doubt, with a durable record of d, and settles later (Averager.settle). d is appended to its record as it
 * is formed.
 */
export class Exchange {
  readonly id: string
  readonly partner: string
  readonly role: ExchangeRole
  /** What this side stated; what it says in its Offer or Accept. */
  readonly terms: Terms
  readonly #site: ExchangeSide
  #phase: ExchangePhase = 'offered'
  #streams: Streams | undefined
  /** What is sent: x itself where the codec is exact. */
  #own: Float32Array = EMPTY
  #isBorrowed = false
  #codes: Uint8Array[] = []
  #difference: Float32Array = EMPTY
  #entry: Promise<LogEntry> | undefined
  #appended: Promise<void> = Promise.resolve()
  #received = 0
  #squares = 0
  #norm = 0
  #noise = 0
  readonly #sketch = new Float64Array(SKETCH_SIZE)
  #ending = Promise.withResolvers<void>()

  constructor (site: ExchangeSide, { id, partner, role }: { id: string, partner: string, role: ExchangeRole }) {
    this.#site = site
    this.id = id
    this.partner = partner
    this.role = role
    this.terms = site.terms
  }

  get phase (): ExchangePhase {
    return this.#phase
  }

  /** Resolves when the exchange is closed. */
  get ended (): Promise<void> {
    return this.#ending.promise
  }

  get codec (): Codec {
    return this.#opened().codec
  }

  /** Order and sizes of what either side streams. */
  get chunks (): readonly Chunk[] {
    return this.#opened().chunks
  }

  /** The partner's terms and the codec are known: from here both sides stream. */
  open (theirs: Terms, codec: Codec): void {
    this.#expect('offered')
    this.#site.check(theirs, this.terms)
    const { size } = this.#site.schema
    const barred = barredBy(this.#site.scoped, this.terms, theirs)
    this.#streams = { theirs, codec, coder: coderOf(codec), chunks: chunksOf(size, codec), barred }
    this.#phase = 'open'
  }

  /** Takes what is sent through the release gate and codes it; iterate it to its end before `outgoing` and `receive`. */
  * prepare (): Generator<void, void> {
    this.#expect('open')
    const { schema, normBound } = this.#site
    const { coder, chunks } = this.#opened()
    this.#isBorrowed = coder.isExact && this.#site.distort == null && !this.#isWeightless
    // Given back when the partner has read all of it; else x never changes in this place again, since a part may still wait for the
    // network.
    const released = yield * release(schema, ...this.#outgoingVector(normBound))
    const own = released.values
    this.#norm = released.norm
    this.#site.distort?.(own, { partner: this.partner, clipRadius: this.#opened().theirs.clipRadius })
    const isNoiseWanted = this.#site.adaptsCodec || !coder.isExact
    const stride = Math.ceil(own.length / SAMPLED)
    for (const chunk of chunks) {
      if (isNoiseWanted) this.#noise += blockNoise(own.subarray(chunk.begin, chunk.end), stride)
      this.#codes.push(encodeReleased(released, chunk, coder.encode))
      yield
    }
    this.#difference = this.#site.take()
    this.#own = own
    this.#entry = this.#site.begin({ exchangeId: this.id, partner: this.partner, role: this.role, size: own.length })
    // What goes wrong with the record is told by sealing it.
    this.#entry.catch(() => {})
  }

  /** What goes to the release gate. Of a site without mass, what another's x is to take the place of. */
  #outgoingVector (normBound: number): [values: Float32Array, how: Parameters<typeof release>[2]] {
    const { x, take, mixed } = this.#site
    if (this.#isWeightless) return [mixed(take()), { normBound }]
    return this.#isBorrowed ? [x.borrow(), { normBound, squares: x.squares }] : [x.values, { normBound, into: take() }]
  }

  /** The codes of chunk `index`; not to be changed. */
  outgoing (index: number): Uint8Array {
    this.#expect('open')
    const codes = this.#codes[index]
    if (codes == null) throw new ProtocolError('the exchange streams before its vector passed the release gate')
    return codes
  }

  /**
   * The partner's next chunk, in order; d is formed here. ProtocolError for one too many, of another length, or with numbers that are
   * not finite or too large.
   */
  receive (bytes: Uint8Array): void {
    this.#expect('open')
    const { chunks, coder, barred } = this.#opened()
    const chunk = chunks[this.#received]
    if (chunk == null) throw new ProtocolError(`the partner sent more than the schema's ${this.#site.schema.size} numbers`)
    if (bytes.length !== chunk.bytes) throw new ProtocolError(`a chunk of ${bytes.length} bytes where the schema says ${chunk.bytes}`)
    if (this.#own.length < chunk.end) throw new ProtocolError('the exchange receives before its own vector passed the release gate')
    const part = this.#difference.subarray(chunk.begin, chunk.end)
    const squares = subtract(coder.decode(bytes, part.length), this.#own.subarray(chunk.begin, chunk.end), part)
    if (!Number.isFinite(this.#squares + squares)) throw new ProtocolError('the partner sent a number that is not finite')
    this.#squares += bar(part, { begin: chunk.begin, squares, barred })
    if (this.#site.sketchSeed != null) addToSketch(this.#sketch, part, this.#site.sketchSeed, chunk.begin)
    // No vector within the bound is farther from one that is within it.
    if (Math.sqrt(this.#squares) > 2 * this.#site.normBound) throw this.#overBound()
    this.#received++
    this.#record(part)
  }

  /** Both vectors are complete and the digest was right: this side could commit. */
  verify (): void {
    this.#expect('open')
    const { chunks } = this.#opened()
    if (this.#received !== chunks.length || this.#own.length === 0) {
      throw new ProtocolError(`the partner sent ${this.#received} of the schema's ${chunks.length} chunks`)
    }
    if (this.#norm + Math.sqrt(this.#squares) > this.#site.normBound && this.#theirNorm() > this.#site.normBound) throw this.#overBound()
    this.#phase = 'verified'
  }

  /** Initiator: makes d durable; when it resolves Commit may leave, and only the responder knows what becomes of it. */
  async committing (): Promise<void> {
    // A weightless site takes the partner's x over, and the partner's stays: nothing hangs on whether both did it.
    if (!this.#isWeightless) await this.#seal('initiator', 'pending')
    else this.#expect('verified')
    this.#phase = 'committing'
  }

  /** Applies d to whatever x is by now, durably. Responder: before saying Committed. Initiator: on Committed. */
  async commit (): Promise<CommittedExchange> {
    if (this.role === 'responder') await this.#seal('responder', 'committed')
    else if (this.#isWeightless) await this.#seal('initiator', 'committed')
    else await this.#settle()
    const outcome = this.#outcome()
    // The partner has read all that was sent, and d is in its record.
    if (this.#isBorrowed) this.#site.x.giveBack(this.#own)
    else this.#site.give(this.#own)
    this.#site.apply(this.id, this.#difference, this.#factor(), outcome.steps)
    this.#site.give(this.#difference)
    this.#close('committed', outcome)
    return outcome
  }

  /**
   * Ends it at whatever point, unless it is being made durable; an initiator whose Commit may have left ends in doubt. Safe to call
   * again.
   */
  abort (): void {
    if (this.#phase === 'closed' || this.#phase === 'sealing' || this.#phase === 'settling') return
    if (this.#phase === 'committing' && !this.#isWeightless) this.#close('doubt')
    else this.#drop()
  }

  /** From own + d: only where ‖own‖ + ‖d‖ leaves it open, since every pass over the numbers costs. */
  #theirNorm (): number {
    let sum = 0
    for (let i = 0; i < this.#own.length; i++) sum += (this.#own[i]! + this.#difference[i]!) ** 2
    return Math.sqrt(sum)
  }

  #overBound (): ProtocolError {
    return new ProtocolError(`the partner's adapter is over the norm bound ${this.#site.normBound}`)
  }

  /** At once, while it is in the processor's cache. */
  #record (part: Float32Array): void {
    const entry = this.#entry
    this.#appended = this.#appended.then(async () => { await (await entry)?.append(part) })
    this.#appended.catch(() => {})
  }

  async #seal (role: ExchangeRole, state: 'pending' | 'committed'): Promise<void> {
    this.#expect(role === 'initiator' && state === 'committed' ? 'committing' : 'verified')
    if (this.role !== role) throw new ProtocolError(`this side is not the ${role}`)
    this.#phase = 'sealing'
    try {
      await this.#appended
      await (await this.#entry)?.seal(state, { factor: this.#factor(), steps: this.#carried(this.terms) })
    } catch (error) {
      this.#drop()
      throw error
    }
  }

  async #settle (): Promise<void> {
    this.#expect('committing')
    this.#phase = 'settling'
    try {
      await this.#site.settle(this.id)
    } catch (error) {
      this.#close('doubt')
      throw error
    }
  }

  #drop (): void {
    const entry = this.#entry
    this.#appended.catch(() => {}).then(async () => { await (await entry)?.discard() }).catch(() => {})
    this.#close('aborted')
  }

  #close (end: End, outcome?: CommittedExchange): void {
    this.#phase = 'closed'
    this.#own = EMPTY
    this.#codes = []
    this.#difference = EMPTY
    this.#entry = undefined
    this.#site.closed(this, end, outcome == null ? undefined : this.#felt(outcome))
    this.#ending.resolve()
  }

  #felt (outcome: CommittedExchange): Felt {
    const clip = this.#clip()
    return { ...outcome, noise: this.#noise, sketch: this.#sketch.map((each) => clip * each) }
  }

  #outcome (): CommittedExchange {
    const { theirs, codec } = this.#opened()
    const { id, partner, role } = this
    const distance = Math.sqrt(this.#squares)
    return {
      exchangeId: id,
      partner,
      role,
      round: this.terms.round,
      partnerRound: theirs.round,
      partnerMass: theirs.mass,
      codec,
      distance,
      clippedDistance: this.#clip() * distance,
      clipped: this.#clip() < 1,
      excess: this.#isOneSided ? 0 : distance / this.#site.usualRadius,
      steps: this.#carried(this.terms) ?? 0,
      partnerSteps: this.#carried(theirs),
      isRead: this.#isRead
    }
  }

  /** A clipped vector arrives in part, of one without mass nothing does, and one that only reads passes nothing on. */
  #carried ({ mass, steps }: Terms): number | undefined {
    return mass === 0 || this.#isRead || this.#passed() < 1 ? steps && 0 : steps
  }

  /** The part of d that is applied at whichever side moves: of two of which one catches up, what that one stated. */
  #passed (): number {
    if (!this.#isOneSided) return this.#clip()
    return clipFactor(Math.sqrt(this.#squares), (this.#isWeightless ? this.terms : this.#opened().theirs).clipRadius)
  }

  get #isRead (): boolean {
    return this.terms.reads === true || this.#opened().theirs.reads === true
  }

  get #isWeightless (): boolean {
    return this.terms.mass === 0
  }

  /** One side catches up: what is between the two tells nothing about either. */
  get #isOneSided (): boolean {
    return this.#isWeightless || this.#opened().theirs.mass === 0
  }

  #clip (): number {
    if (this.#isOneSided) return this.#isWeightless ? this.#passed() : 1
    return clipFactor(Math.sqrt(this.#squares), Math.min(this.terms.clipRadius, this.#opened().theirs.clipRadius))
  }

  #factor (): number {
    const { mass } = this.#opened().theirs
    return this.#clip() * mass / (this.terms.mass + mass)
  }

  #opened (): Streams {
    if (this.#streams == null) throw new ProtocolError('the exchange goes on before the partner stated its terms')
    return this.#streams
  }

  #expect (phase: ExchangePhase): void {
    if (this.#phase !== phase) throw new ProtocolError(`the exchange with ${this.partner} is ${this.#phase}, not ${phase}`)
  }
}
