import type { Fitted, LabelMap } from '../../dataset/index.ts'

/** No image comes more often than this within one turn through all of them. */
const MOST_TURNS = 2

/**
 * Images as often as their rarest class wants, twice at most: one that few of them show would else be trained a fraction as much as in a
 * federation of its own. In their order, those that come again after all others.
 */
export function balanced (samples: readonly Fitted[], labels: LabelMap | undefined): readonly Fitted[] {
  if (labels == null || labels.names.length === 1) return samples
  const shown = samples.map(({ mask, lacks = [] }) => {
    const codes = [...new Set(mask)]
    return labels.members.flatMap((member, c) => !lacks.includes(c) && codes.some((code) => member[code] === 1) ? [c] : [])
  })
  const counts = labels.names.map((_, c) => shown.filter((classes) => classes.includes(c)).length)
  const most = Math.max(...counts)
  const again = samples.filter((_, i) => shown[i]!.some((c) => most >= MOST_TURNS * counts[c]!))
  return [...samples, ...again]
}
