/**
 * Who a picture belongs to: `colin27_012` and `colin27#012` are picture 12 of subject `colin27`; a name without a trailing number
 * is a subject of its own. Pictures of several patients that share a prefix count as one subject, which errs on the safe
 * side: they are split by slab with a gap instead of at random. A volume is always a subject of its own.
 */
export function subjectOf (stem: string): { subject: string, index: number } {
  const match = /^(.*[^_#])[_#](\d+)$/.exec(stem)
  return match == null ? { subject: stem, index: 0 } : { subject: match[1]!, index: Number(match[2]) }
}
