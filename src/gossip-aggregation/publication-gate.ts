import { SchemaError } from '../errors.ts'
import { sumOfSquares } from './vectors/arithmetic.ts'

/** What the numbers of a publication must be. */
export interface PublicationLimits {
  readonly count: number
  /** Most that one of its kind may have, whatever a document says. */
  readonly most: number
  readonly normBound: number
  /** All that a number may be, ascending; any finite one if not given. */
  readonly levels?: Float32Array | undefined
}

declare const passed: unique symbol

/** A publication that went through the gate; nothing else may be shown. */
export interface ReleasedPublication {
  readonly values: Float32Array
  readonly [passed]: true
}

/**
 * The gate through which every publication leaves: both consents, and numbers that are what the kind's limits say. The values are
 * copied, so that what passed does not change. @throws SchemaError when it must not leave
 */
export function releasePublication (
  kind: string,
  values: Float32Array,
  { consented, limits }: { readonly consented: boolean, readonly limits: PublicationLimits }
): ReleasedPublication {
  if (!consented) throw new SchemaError(`${kind} lacks a consent, of the federation or of this site: it must not leave this site`)
  const wrong = wrongIn(values, limits)
  if (wrong != null) throw new SchemaError(`${kind} ${wrong}: it must not leave this site`)
  return { values: values.slice() } as ReleasedPublication
}

/** What numbers are that a kind's limits do not allow, completing "amplitude-bank …"; undefined where they may be used. */
export function wrongIn (values: Float32Array, { count, most, normBound, levels }: PublicationLimits): string | undefined {
  if (count > most) return `would have ${count} numbers, and ${most} are the most of its kind`
  if (values.length !== count) return `has ${values.length} numbers, not ${count}`
  const norm = Math.sqrt(sumOfSquares(values))
  if (!Number.isFinite(norm)) return 'holds a value that is not finite'
  if (norm > normBound) return `has the norm ${norm.toPrecision(4)}, over the bound ${normBound.toPrecision(4)}`
  if (levels == null) return undefined
  const known = new Set(levels)
  return values.every((value) => known.has(value)) ? undefined : 'holds a value that is none of its levels'
}
