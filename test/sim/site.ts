import { createSchema, type Schema } from '../../src/adapter/schema.ts'
import { Averager, type AveragingSettings } from '../../src/gossip-aggregation/averager.ts'
import type { Exchange, Outcome } from '../../src/gossip-aggregation/exchange.ts'

const SETTINGS: AveragingSettings = { maxMass: 1e6, clipRadius: 1e6, normBound: 1e6, staleness: 3 }

export function vectorSchema (size: number): Schema {
  return createSchema({ model: 'sim', baseHash: 'a'.repeat(64), tensors: [{ name: 'x', shape: [size], role: 'lora' }] })
}

/** A virtual site. */
export interface Site {
  readonly id: string
  readonly averager: Averager
}

export function createSite (id: string, values: Float32Array, init: { mass?: number, round?: number, settings?: Partial<AveragingSettings>, schema?: Schema } = {}): Site {
  const { mass = 1, round = 0, settings = {}, schema = vectorSchema(values.length) } = init
  return { id, averager: new Averager({ schema, values, round, mass, settings: { ...SETTINGS, ...settings } }) }
}

/** Every point at which a message is under way, in order. */
export const BOUNDARIES = ['offer', 'accept', 'prepare', 'vectors', 'verify', 'commit', 'committed'] as const
export type Boundary = typeof BOUNDARIES[number]

export interface Hooks {
  /** The message (or work) of this boundary and all later ones are lost. */
  readonly loseAt?: Boundary
  /** Runs just before each boundary. */
  readonly before?: (boundary: Boundary) => void
}

export type Result = { readonly initiator: Outcome, readonly responder: Outcome } | { readonly refused: string }

/** What the protocol does with two averagers; yields before each boundary, and a caller that returns there loses everything from it on. */
export function * exchangeSteps (initiator: Site, responder: Site): Generator<Boundary, Result> {
  const { exchange, offer } = initiator.averager.offer(responder.id)
  let theirs: Exchange | undefined
  try {
    yield 'offer'
    const answer = responder.averager.answer({ self: responder.id, partner: initiator.id, offer })
    if ('refused' in answer) return answer
    theirs = answer.exchange
    yield 'accept'
    if (exchange.phase !== 'offered') return { refused: 'YIELDED' }
    exchange.open(theirs.terms)
    yield 'prepare'
    for (const side of [exchange, theirs]) Array.from(side.prepare())
    yield * swap(exchange, theirs)
    yield 'verify'
    exchange.verify()
    theirs.verify()
    exchange.committing()
    yield 'commit'
    const outcome = theirs.commit()
    yield 'committed'
    return { initiator: exchange.commit(), responder: outcome }
  } finally {
    exchange.abort()
    theirs?.abort()
  }
}

/** Runs it at once; undefined when something was lost. */
export function runExchange (initiator: Site, responder: Site, { loseAt, before }: Hooks = {}): Result | undefined {
  const steps = exchangeSteps(initiator, responder)
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value
    before?.(step.value)
    if (step.value !== loseAt) continue
    steps.return({ refused: 'LOST' })
    return undefined
  }
}

function * swap (one: Exchange, other: Exchange): Generator<Boundary, void> {
  const size = sizeOf(one)
  const half = Math.floor(size / 2)
  for (const [begin, end] of [[0, half], [half, size]] as const) {
    one.receive(other.outgoing(begin, end))
    yield 'vectors'
    other.receive(one.outgoing(begin, end))
  }
}

function sizeOf (exchange: Exchange): number {
  return exchange.outgoing(0, 2 ** 30).length
}

/** Σ w·x in float64, per coordinate. */
export function weightedSum (sites: readonly Site[]): number[] {
  const size = sites[0]!.averager.values.length
  return Array.from({ length: size }, (_, index) => sites.reduce((sum, { averager }) => sum + averager.mass * averager.values[index]!, 0))
}

/** Seeded uniform numbers in [0, 1) (mulberry32). */
export function seeded (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ t >>> 15, t | 1)
    t ^= t + Math.imul(t ^ t >>> 7, t | 61)
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32
  }
}
