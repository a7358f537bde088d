import { elementCount, type Schema } from '../../adapter/schema.ts'
import { ProtocolError } from '../../errors.ts'
import { sumOfSquares } from '../vectors/arithmetic.ts'
import type { Terms } from './exchange-types.ts'

/** Numbers of x from `begin` to before `end`. */
export interface Range {
  readonly begin: number
  readonly end: number
}

/** Hex digits by which two sites know that they are of one cluster. */
const DIGEST = /^[0-9a-f]{2,64}$/
const NOTHING: readonly Range[] = []
/** Stated where a site is in no cluster with the partner, and takes what is common alone. */
export const NO_CLUSTER = '0'.repeat(16)

/** Where in x the tensors lie whose names one of these patterns matches: in order, and none of them touch. */
export function rangesOf ({ tensors }: Pick<Schema, 'tensors'>, patterns: readonly string[]): readonly Range[] {
  const all = patterns.map((pattern) => new RegExp(pattern))
  const ranges: Range[] = []
  let begin = 0
  for (const { name, shape } of tensors) {
    const end = begin + elementCount(shape)
    const last = ranges.at(-1)
    if (all.some((each) => each.test(name))) {
      if (last?.end === begin) ranges[ranges.length - 1] = { begin: last.begin, end }
      else ranges.push({ begin, end })
    }
    begin = end
  }
  return ranges
}

/**
 * What of x an exchange leaves as it is: where only sites of one cluster average these numbers, and the two have not stated the same one
 * (docs/spec/mixing.md#scope). Both sides see the same terms, so what one leaves the other leaves too. A site that takes another's x over
 * and states no scope, since it has trained nothing yet, takes all of it: nothing of the other moves. @throws ProtocolError for what is no
 * digest
 */
export function barredBy (scoped: readonly Range[] | undefined, own: Terms, theirs: Terms): readonly Range[] {
  if (theirs.scope != null && !DIGEST.test(theirs.scope)) throw new ProtocolError('the partner states a scope that is no digest')
  if (scoped == null || scoped.length === 0) return NOTHING
  if ([own, theirs].some(({ mass, scope }) => mass === 0 && scope == null)) return NOTHING
  return own.scope != null && own.scope === theirs.scope ? NOTHING : scoped
}

/** part ← part with 0 where it is barred, `begin` being its place in x; Σ part² then, or `squares` where nothing of it was. */
export function bar (part: Float32Array, { begin, squares, barred }: {
  readonly begin: number,
  readonly squares: number,
  readonly barred: readonly Range[]
}): number {
  const within = barred.filter((each) => each.begin < begin + part.length && each.end > begin)
  if (within.length === 0) return squares
  for (const each of within) part.fill(0, Math.max(0, each.begin - begin), Math.min(part.length, each.end - begin))
  return sumOfSquares(part)
}
