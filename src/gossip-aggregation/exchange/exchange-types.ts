import type { Codec } from '../codecs/codec.ts'
import type { ExchangeRole } from './exchange-log.ts'

/** What each side states about itself in Offer and Accept. */
export interface Terms {
  readonly round: number
  /** Constant mass w in the averages; 0 of a site that is far behind and takes the partner's x over. */
  readonly mass: number
  /** Largest ‖d‖ that this side lets one exchange apply. */
  readonly clipRadius: number
  /** Optimiser steps of this site's own training that its x holds; none from software before 0.2.0. */
  readonly steps?: number | undefined
  /** It has no labels and no mass, and only reads: what reaches it reaches nobody else. */
  readonly reads?: boolean | undefined
  /** Digest of the cluster within which alone it averages some of its numbers, hex; none where it does so with all, or knows none. */
  readonly scope?: string | undefined
}

export interface Offer extends Terms {
  /** 32 hex digits, drawn by the initiator. */
  readonly exchangeId: string
  readonly schemaHash: string
  /** What it can decode. */
  readonly codecs: readonly string[]
  /** What it would use. */
  readonly want: string
}

/** What an exchange did, once it is committed. */
export interface CommittedExchange {
  readonly exchangeId: string
  readonly partner: string
  readonly role: ExchangeRole
  /** This side's, as stated. */
  readonly round: number
  readonly partnerRound: number
  readonly partnerMass: number
  readonly codec: Codec
  /** ‖d‖ before clipping. */
  readonly distance: number
  /** ‖d‖ as applied, before it is shared out by mass. */
  readonly clippedDistance: number
  readonly clipped: boolean
  /** ‖d‖ in multiples of the clip radius that this side stated: above 1 it was clipped on this side's account. */
  readonly excess: number
  /** Of this side's training, all up to this step reached the partner whole; 0 where nothing did. */
  readonly steps: number
  /** The same of the partner's training; undefined where its software does not say. */
  readonly partnerSteps: number | undefined
  /** One of the two only read: nothing of either moved the other's average. */
  readonly isRead: boolean
}
