import { createSchema, type Schema } from '../../src/adapter/schema.ts'
import type { AveragerInit, AveragerSettings } from '../../src/gossip-aggregation/averager-types.ts'
import { Averager } from '../../src/gossip-aggregation/averager.ts'
import type { ExchangeLog } from '../../src/gossip-aggregation/exchange/exchange-log.ts'
import type { CommittedExchange } from '../../src/gossip-aggregation/exchange/exchange-types.ts'
import type { Exchange } from '../../src/gossip-aggregation/exchange/exchange.ts'

const SETTINGS: AveragerSettings = { codec: 'f32', maxMass: 1e6, clipRadius: 1e6, normBound: 1e6, staleness: 3 }

export function vectorSchema (size: number): Schema {
  return createSchema({ model: 'sim', baseHash: 'a'.repeat(64), tensors: [{ name: 'x', shape: [size], role: 'lora' }] })
}

/** A virtual site. */
export interface SimulatedSite {
  readonly id: string
  readonly averager: Averager
}

export function createSite (
  id: string,
  values: Float32Array,
  init: Partial<Pick<AveragerInit, 'scoped'>> & {
    mass?: number, round?: number, settings?: Partial<AveragerSettings>, schema?: Schema, log?: ExchangeLog, reads?: boolean, scope?: string
  } = {}
): SimulatedSite {
  const { mass = 1, round = 0, settings = {}, schema = vectorSchema(values.length), reads = false, log, scoped, scope } = init
  const averager = new Averager({
    schema,
    values,
    round,
    ...(reads ? { mass: 0, reads } : { mass }),
    scoped,
    settings: { ...SETTINGS, ...settings },
    ...(log == null ? {} : { log })
  })
  averager.scope = () => scope
  return { id, averager }
}

/** Every point at which a message is under way, in order. */
export const BOUNDARIES = ['offer', 'accept', 'prepare', 'vectors', 'verify', 'commit', 'committed'] as const
export type Boundary = typeof BOUNDARIES[number]

export interface Hooks {
  /** The message (or work) of this boundary and all later ones are lost. */
  readonly loseAt?: Boundary
  /** Runs just before each boundary. */
  readonly before?: (boundary: Boundary) => void
  /** The initiator is far behind and takes the responder's x over. */
  readonly catchUp?: boolean
  /** The round that it believes the others to be in. */
  readonly upTo?: number
}

export type Result = { readonly initiator: CommittedExchange, readonly responder: CommittedExchange } | { readonly refused: string }

/** What the protocol does with two averagers; yields before each boundary, and a caller that returns there loses everything from it on. */
export async function * exchangeSteps (
  initiator: SimulatedSite,
  responder: SimulatedSite,
  { catchUp = false, upTo = Infinity }: Pick<Hooks, 'catchUp' | 'upTo'> = {}
): AsyncGenerator<Boundary, Result, undefined> {
  const { exchange, offer } = initiator.averager.offer(responder.id, nextId(), { catchUp, upTo })
  let theirs: Exchange | undefined
  try {
    yield 'offer'
    const answer = responder.averager.answer({ self: responder.id, partner: initiator.id, offer })
    if ('refused' in answer) return answer
    theirs = answer.exchange
    yield 'accept'
    if (exchange.phase !== 'offered') return { refused: 'YIELDED' }
    exchange.open(theirs.terms, theirs.codec)
    yield 'prepare'
    for (const side of [exchange, theirs]) Array.from(side.prepare())
    for (const index of exchange.chunks.keys()) {
      exchange.receive(theirs.outgoing(index))
      yield 'vectors'
      theirs.receive(exchange.outgoing(index))
    }
    yield 'verify'
    exchange.verify()
    theirs.verify()
    await exchange.committing()
    yield 'commit'
    const outcome = await theirs.commit()
    yield 'committed'
    return { initiator: await exchange.commit(), responder: outcome }
  } finally {
    exchange.abort()
    theirs?.abort()
  }
}

/** Runs it at once; undefined when something was lost. */
export async function runExchange (
  initiator: SimulatedSite,
  responder: SimulatedSite,
  { loseAt, before, ...options }: Hooks = {}
): Promise<Result | undefined> {
  const steps = exchangeSteps(initiator, responder, options)
  for (let step = await steps.next(); ; step = await steps.next()) {
    if (step.done === true) return step.value
    before?.(step.value)
    if (step.value !== loseAt) continue
    await steps.return({ refused: 'LOST' })
    return undefined
  }
}

let ids = 0

/** 32 hex digits that no other exchange of this process has. */
export function nextId (): string {
  return (++ids).toString(16).padStart(32, '0')
}

/** Σ w·x in float64, per coordinate. */
export function weightedSum (sites: readonly SimulatedSite[]): number[] {
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
