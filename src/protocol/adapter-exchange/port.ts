import type { Schema } from '../../adapter/schema.ts'
import type { OutcomePort } from '../outcome/talk.ts'

export type Codec = 'f32' | 'f16' | 'q6' | 'q8' | 'q16'

/** What the protocol needs of the averaging; gossip-aggregation's Averager has this shape, and neither folder knows the other. */
export interface AveragingPort extends OutcomePort {
  readonly schema: Schema
  readonly paused: boolean
  /** That this site is in. */
  readonly round?: number
  /** An exchange is open. */
  readonly busy: boolean
  offer (
    partner: string,
    exchangeId: string,
    options?: { catchUp?: boolean, upTo?: number }
  ): { readonly exchange: OpenExchange, readonly offer: Offer }
  answer (
    init: { self: string, partner: string, offer: Offer }
  ): { readonly exchange: OpenExchange } | { readonly refused: AveragingRefusal }
}

type AveragingRefusal = 'BUSY' | 'SCHEMA' | 'STALE' | 'PAUSED' | 'RATE_LIMITED'

export interface Terms {
  readonly round: number
  readonly mass: number
  readonly clipRadius: number
  /** Optimiser steps of its own training that the site's vector holds; none from software before 0.2.0. */
  readonly steps?: number | undefined
  /** It only reads; said by initiators alone. */
  readonly reads?: boolean | undefined
  /** Digest of the cluster within which alone some of its numbers are averaged, hex. */
  readonly scope?: string | undefined
}

export interface Offer extends Terms {
  readonly exchangeId: string
  readonly schemaHash: string
  readonly codecs: readonly string[]
  readonly want: string
}

export interface CommittedExchange {
  readonly exchangeId: string
  readonly partner: string
  readonly role: 'initiator' | 'responder'
  readonly round: number
  readonly partnerRound: number
  readonly partnerMass: number
  readonly codec: Codec
  readonly distance: number
  readonly clipped: boolean
  /** ‖d‖ in multiples of this side's clip radius. */
  readonly excess: number
  /** Of this side's training, all up to this step reached the partner whole; 0 where nothing did. */
  readonly steps: number
  readonly partnerSteps: number | undefined
  /** One of the two only read. */
  readonly isRead: boolean
}

export interface OpenExchange {
  readonly id: string
  readonly phase: string
  readonly terms: Terms
  readonly codec: Codec
  readonly chunks: readonly { readonly bytes: number }[]
  open (theirs: Terms, codec: Codec): void
  prepare (): Iterator<void, void>
  outgoing (index: number): Uint8Array
  receive (bytes: Uint8Array): void
  verify (): void
  committing (): Promise<void>
  commit (): Promise<CommittedExchange>
  abort (): void
}
