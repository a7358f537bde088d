import type { Fitted, LabelMap } from '../../dataset/index.ts'

/** For one class no image comes more often than this within one turn through all of them. */
const MOST_TURNS = 8

/**
 * Images so often that every class is shown as often as the commonest: one that few of them show would else be trained a fraction as much
 * as in a federation of its own. In their order, those that come again after all others; in these the commonest classes are left out, so
 * that they too are trained on the same images as in a federation of their own.
 */
export function balanced (samples: readonly Fitted[], labels: LabelMap | undefined): readonly Fitted[] {
  if (labels == null || labels.names.length === 1) return samples
  const shown = samples.map((sample) => classesShown(sample, labels))
  const counts = labels.names.map((_, c) => shown.filter((classes) => classes.includes(c)).length)
  const most = Math.max(...counts)
  const common = counts.flatMap((count, c) => count === most ? [c] : [])
  const rarestFirst = [...counts.keys()].sort((a, b) => counts[a]! - counts[b]!)
  const again: Fitted[] = []
  for (const c of rarestFirst) {
    const own = [...samples.keys()].filter((i) => shown[i]!.includes(c))
    const missing = Math.min(most - counts[c]!, (MOST_TURNS - 1) * own.length)
    for (let turn = 0; turn < missing; turn++) {
      const i = own[turn % own.length]!
      again.push({ ...samples[i]!, lacks: [...new Set([...samples[i]!.lacks ?? [], ...common])] })
      for (const each of shown[i]!) counts[each]!++
    }
  }
  return [...samples, ...again]
}

function classesShown ({ mask, lacks = [] }: Fitted, { members }: LabelMap): number[] {
  const codes = [...new Set(mask)]
  return members.flatMap((member, c) => !lacks.includes(c) && codes.some((code) => member[code] === 1) ? [c] : [])
}
