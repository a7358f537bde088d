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
