import type { Stream } from '@libp2p/interface'
import type { AveragerInit } from '../../src/gossip-aggregation/averager-types.ts'
import { Averager } from '../../src/gossip-aggregation/averager.ts'
import { land } from '../../src/gossip-aggregation/landing.ts'
import { NO_STEPS } from '../../src/gossip-aggregation/unmixed.ts'
import { clippedAndNoised } from '../../src/privacy/clip-and-noise.ts'
import { initiate } from '../../src/protocol/adapter-exchange/initiate.ts'
import { DEFAULT_LIMITS } from '../../src/protocol/adapter-exchange/limits.ts'
import { respond } from '../../src/protocol/adapter-exchange/respond.ts'
import type { ExchangeContext } from '../../src/protocol/adapter-exchange/vectors.ts'
import { askOutcome, tellOutcome, type Talk } from '../../src/protocol/outcome/talk.ts'
import { Frames } from '../../src/protocol/shared/frames.ts'
import { DiskLog, emptyDisk, type Disk } from './disk.ts'
import { nextId } from './site.ts'
import { arriveLate, streamPair } from './stream-pair.ts'

/**
 * What strikes at one message (lost; its sender or its receiver dies; an initiator's arrives long after it gave up) or at one durable
 * write (it fails; the process dies before or after it).
 */
export type Fault = 'harmless' | 'first' | 'last' | 'late'

/** Counts messages and durable writes; strikes at the one whose turn it is. */
export class Fate {
  events = 0
  readonly #at: number
  readonly #fault: Fault

  constructor (at = -1, fault: Fault = 'harmless') {
    this.#at = at
    this.#fault = fault
  }

  next (): Fault | undefined {
    return this.events++ === this.#at ? this.#fault : undefined
  }
}

/** A site whose process dies and starts again from its disk; it speaks the real protocols over streams in memory. */
export class MortalSite {
  readonly id: string
  readonly disk: Disk
  averager: Averager
  isAlive = true
  fate = new Fate()
  /** Training that landed and is in a checkpoint, and in none. */
  readonly trained: number[]
  readonly unsaved: number[]
  readonly #init: AveragerInit
  readonly #scope: string | undefined
  readonly #streams = new Set<Stream>()
  readonly #serving = new Set<Promise<void>>()
  #life = 0

  constructor (id: string, init: AveragerInit, scope?: string) {
    this.id = id
    this.#init = init
    this.#scope = scope
    const learnt = { clip: { radius: init.settings.clipRadius, recent: [] }, distance: null }
    this.disk = emptyDisk({ values: init.values.slice(), round: init.round, mass: init.mass, included: [], learnt, steps: NO_STEPS })
    this.averager = this.#scoped(new Averager({ ...init, log: this.#log() }))
    this.trained = Array.from(init.values, () => 0)
    this.unsaved = [...this.trained]
  }

  die (): void {
    this.isAlive = false
    this.#life++
    this.unsaved.fill(0)
    for (const stream of this.#streams) stream.abort(new Error('the process died'))
    this.#streams.clear()
  }

  /** Starts the process again, if it is dead; it may die at that. */
  async restart (): Promise<void> {
    if (this.isAlive) return
    this.isAlive = true
    const { values, round, included, steps } = this.disk.checkpoint
    const { landed } = this.disk
    const unmixed = landed.filter(({ until }) => until <= steps.trained)
    this.disk.landed = unmixed
    try {
      this.averager = this.#scoped(await Averager.recover({ ...this.#init, values, round, included, steps, unmixed, log: this.#log() }))
    } catch {
      this.die()
    }
  }

  /** Where `normal` draws noise, what lands is clipped and noised; first it is scaled, where there is a factor. */
  train (step: number, { normal, factor = 1 }: { normal?: (() => number) | undefined, factor?: number | undefined } = {}): void {
    const before = this.averager.snapshot()
    const after = before.map((value, index) => value + step * (1 + index % 3))
    let landed: Float32Array = after.map((value, index) => factor * (value - before[index]!))
    const hide = (delta: Float32Array): Float32Array => {
      landed = clippedAndNoised(delta, { clip: 5, noise: 2, normal: normal! })
      return landed
    }
    land(this.averager, { before, after, round: this.averager.round, steps: 2, factor, ...(normal == null ? {} : { hide }) })
    landed.forEach((value, index) => { this.unsaved[index]! += value })
  }

  async save (): Promise<void> {
    const { unmixed, ...state } = this.averager.state
    const checkpoint = { ...state, values: state.values.slice() }
    const landed = [...this.unsaved]
    const life = this.#life
    for (const each of unmixed) {
      if (this.disk.landed.some(({ from, until }) => from === each.from && until === each.until)) continue
      await this.#write(life, () => { this.disk.landed = [...this.disk.landed, each] })
    }
    await this.#write(life, () => {
      this.disk.checkpoint = checkpoint
      landed.forEach((value, index) => {
        this.unsaved[index]! -= value
        this.trained[index]! += value
      })
    })
    await this.averager.saved(checkpoint.included)
    const { arrived } = checkpoint.steps
    const left = this.disk.landed.filter((each) => each.until > arrived &&
      !unmixed.some((sum) => sum.from <= each.from && each.until <= sum.until && sum.until - sum.from > each.until - each.from))
    if (left.length < this.disk.landed.length) await this.#write(life, () => { this.disk.landed = left })
  }

  /** Messages that were late arrive now. */
  async receiveLate (): Promise<void> {
    for (const stream of this.#streams) arriveLate(stream)
    await Promise.all(this.#serving)
    this.#serving.clear()
  }

  /**
   * True when it was committed as far as this side knows. Whatever fails fails as it does in the daemon: the stream ends, and nothing
   * else.
   */
  async exchange (other: MortalSite, { catchUp = false } = {}): Promise<boolean> {
    const [mine, theirs] = this.#connect(other)
    const responding = { self: other.id, partner: this.id, isMember: () => true, rateLimited: () => 0, retryHint: () => 1 }
    const initiating = { partner: other.id, exchangeId: nextId(), catchUp, onDoubt: () => {} }
    other.#serve(theirs, ended(theirs, respond(other.averager, responding, session(theirs))))
    return await ended(mine, initiate(this.averager, initiating, session(mine))).then(() => true, () => false)
  }

  async settle (other: MortalSite): Promise<void> {
    const [mine, theirs] = this.#connect(other)
    const talk = (stream: Stream, partner: string): Talk => ({ frames: new Frames(stream), partner, progressMs: 10_000, signal: NEVER })
    other.#serve(theirs, ended(theirs, tellOutcome(other.averager, talk(theirs, this.id))))
    await ended(mine, askOutcome(this.averager, talk(mine, other.id))).catch(() => {})
  }

  #scoped (averager: Averager): Averager {
    averager.scope = () => this.#scope
    return averager
  }

  #serve (stream: Stream, work: Promise<unknown>): void {
    const serving = work.then(() => {}, () => {}).then(() => { this.#streams.delete(stream) })
    this.#serving.add(serving)
  }

  #connect (other: MortalSite): [Stream, Stream] {
    const pair = streamPair([() => this.#delivers(other), () => other.#delivers(this) === true])
    this.#streams.add(pair[0])
    other.#streams.add(pair[1])
    return pair
  }

  #delivers (receiver: MortalSite): boolean | 'late' {
    const fault = this.fate.next()
    if (fault === 'first') this.die()
    if (fault === 'last') receiver.die()
    return fault === 'late' ? 'late' : fault == null
  }

  #log (): DiskLog {
    const life = this.#life
    return new DiskLog(this.disk, async (change) => { await this.#write(life, change) })
  }

  async #write (life: number, change: () => void): Promise<void> {
    await Promise.resolve()
    if (life !== this.#life) throw new Error('the process is dead')
    const fate = this.fate.next()
    const fault = fate === 'late' ? undefined : fate
    if (fault === 'harmless') throw new Error('the disk is full')
    if (fault === 'first') this.die()
    else change()
    if (fault === 'last') this.die()
    if (fault != null) throw new Error('the process is dead')
  }
}

const NEVER = new AbortController().signal

function session (stream: Stream): ExchangeContext {
  return { frames: new Frames(stream), limits: DEFAULT_LIMITS, signal: NEVER, trace: {} }
}

/** Like the services: an error resets the stream, success ends this side of it. */
async function ended<T> (stream: Stream, work: Promise<T>): Promise<T> {
  try {
    const result = await work
    await stream.close()
    return result
  } catch (error) {
    stream.abort(error as Error)
    throw error
  }
}
