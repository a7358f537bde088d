import { mean } from '../../src/common/mean.ts'

/**
 * Of what sites serve of each other's cores (by site, one number for each; any sign), the part by absolute value that is of sites of
 * their own group, 0 to 1: the mean over sites.
 */
export function withinGroup (parts: readonly (readonly number[])[], groups: readonly number[]): number {
  return mean(parts.map((row, site) => {
    const [within, all] = [row.filter((_, other) => groups[other] === groups[site]), row].map((each) =>
      each.reduce((sum, value) => sum + Math.abs(value), 0)) as [number, number]
    return within / all
  }))
}

/**
 * How alike two ways are to divide the same things into groups, whatever the groups are called: 1 for the same, 0 as alike as by chance
 * (Hubert and Arabie 1985). Two that put all into one group, or each into its own, are the same.
 */
export function adjustedRand (one: readonly number[], other: readonly number[]): number {
  const pairs = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size * (size - 1) / 2, 0)
  const both = pairs(sizesOf(one.map((group, i) => `${group} ${other[i]}`)))
  const [first, second, all] = [pairs(sizesOf(one)), pairs(sizesOf(other)), pairs([one.length])]
  const [chance, most] = [all === 0 ? 0 : first * second / all, (first + second) / 2]
  return most === chance ? 1 : (both - chance) / (most - chance)
}

function sizesOf (labels: readonly unknown[]): number[] {
  return [...Map.groupBy(labels, (label) => label).values()].map(({ length }) => length)
}
