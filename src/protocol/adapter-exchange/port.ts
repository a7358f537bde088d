import type { Schema } from '../../adapter/schema.ts'

/** What the protocol needs of the averaging; gossip-aggregation's Averager has this shape, and neither folder knows the other. */
export interface Averaging {
  readonly schema: Schema
  readonly paused: boolean
  /** An exchange is open. */
  readonly busy: boolean
  offer (partner: string): { readonly exchange: OpenExchange, readonly offer: Offer }
  answer (init: { self: string, partner: string, offer: Offer }): { readonly exchange: OpenExchange } | { readonly refused: Refusal }
}

type Refusal = 'BUSY' | 'SCHEMA' | 'STALE' | 'PAUSED'

export interface Terms {
  readonly round: number
  readonly mass: number
  readonly clipRadius: number
}

export interface Offer extends Terms {
  readonly schemaHash: string
  readonly codecs: readonly string[]
}

export interface Outcome {
  readonly partner: string
  readonly role: 'initiator' | 'responder'
  readonly partnerRound: number
  readonly partnerMass: number
  readonly distance: number
  readonly clipped: boolean
}

export interface OpenExchange {
  readonly phase: string
  readonly terms: Terms
  open (theirs: Terms): void
  prepare (): Iterator<void, void>
  outgoing (begin: number, end: number): Float32Array
  receive (values: Float32Array): void
  verify (): void
  committing (): void
  commit (): Outcome
  abort (): void
}
