import { ProtocolError } from '../../errors.ts'
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
}

/** @throws ProtocolError for terms that no honest site states */
export function checkTerms ({ round, mass, clipRadius }: Terms, maxMass: number, rounds = Infinity): void {
  if (!Number.isSafeInteger(round) || round < 0 || round > rounds) {
    throw new ProtocolError(`the partner states the impossible round ${round}`)
  }
  if (!(mass >= 0 && mass <= maxMass)) throw new ProtocolError(`the partner states the mass ${mass}; it must be in [0, ${maxMass}]`)
  if (!(clipRadius > 0 && clipRadius < Infinity)) {
    throw new ProtocolError(`the partner states the clip radius ${clipRadius}; it must be positive`)
  }
}

interface Guided {
  readonly settings: { readonly staleness: number }
  /** Whether who is behind in this round, `partner` or else this site, will catch up. */
  readonly willCatchUp: (round: number, partner?: string) => boolean
}

/** Catching up is for those behind. The one ahead refuses; here the one behind does so too, since it knows what the other would say. */
export function areApart (
  theirs: Pick<Terms, 'round' | 'mass'>,
  own: Pick<Terms, 'round' | 'mass'>,
  { settings: { staleness }, willCatchUp }: Guided,
  partner: string
): boolean {
  const behind = own.round - theirs.round
  if ((theirs.mass === 0 && behind >= 0) || (own.mass === 0 && behind <= 0)) return false
  if (Math.abs(behind) <= staleness) return false
  // Catching up the other way round is refused whoever is left behind.
  if (theirs.mass === 0 || own.mass === 0) return true
  return behind > 0 ? willCatchUp(theirs.round, partner) : willCatchUp(own.round)
}
