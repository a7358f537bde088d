import type { LabelMap } from './label-map.ts'

/**
 * Codes out of one map of logits per class: of all combinations of classes that a value stands for, and background, the likeliest one
 * under independent sigmoids. With one class, foreground is logit > 0; with classes that exclude one another, the highest positive one.
 */
export function decodeLabels (logits: readonly Float32Array[], { members, values }: LabelMap): Uint8Array {
  const combinations = distinct(values.length, members)
  return Uint8Array.from({ length: logits[0]!.length }, (_, i) => {
    let [best, code] = [0, 0]
    for (const { code: own, classes } of combinations) {
      let likelihood = 0
      for (const c of classes) likelihood += logits[c]![i]!
      if (likelihood > best) [best, code] = [likelihood, own]
    }
    return code
  })
}

/** The first code of every combination of classes. */
function distinct (codes: number, members: LabelMap['members']): { code: number, classes: readonly number[] }[] {
  const found = new Map<string, { code: number, classes: readonly number[] }>()
  for (let code = 1; code < codes; code++) {
    const classes = members.flatMap((member, c) => member[code] === 1 ? [c] : [])
    if (!found.has(classes.join())) found.set(classes.join(), { code, classes })
  }
  return [...found.values()]
}
