import { ProtocolError, SchemaError } from '../../errors.ts'
import type { AveragerInit } from '../averager-types.ts'
import type { Terms } from './exchange-types.ts'

type Bounds = Pick<AveragerInit, 'rounds'>
type Limits = Pick<AveragerInit['settings'], 'maxMass'>

/** @throws SchemaError for a site without mass that does not only read, or more mass than a site may have. */
export function checkMass ({ mass, reads = false, settings: { maxMass } }: Pick<AveragerInit, 'mass' | 'reads' | 'settings'>): void {
  if (reads ? mass === 0 : mass > 0 && mass <= maxMass) return
  throw new SchemaError(reads ? `a site that only reads has the mass ${mass}` : `the mass ${mass} is not in (0, ${maxMass}]`)
}

/** @throws ProtocolError for what no honest site states of itself. */
export function checkTerms ({ round, mass, clipRadius, reads = false }: Terms, { rounds = Infinity }: Bounds, { maxMass }: Limits): void {
  if (!Number.isSafeInteger(round) || round < 0 || round > rounds) {
    throw new ProtocolError(`the partner states the impossible round ${round}`)
  }
  if (!(mass >= 0 && mass <= maxMass)) {
    throw new ProtocolError(`the partner states the mass ${mass}; it must be in [0, ${maxMass}]`)
  }
  if (reads && mass > 0) throw new ProtocolError(`the partner states the mass ${mass}, and that it only reads`)
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
