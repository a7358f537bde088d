import type { LabelFacts, LabelUse } from './label-use.ts'

/** More values than this in a row that become the same are said in one line. */
const MOST_LINES = 24

/**
 * What each stored value becomes, for a person; nothing where all is as everyone expects it: no classes, no rules, no value that nobody
 * knows.
 */
export function describeLabels ({ labels, labelsBy, lacking, labelWarnings }: LabelFacts): string[] {
  const isPlain = labels.every(({ value, becomes }) => becomes === (value === 0 ? 'background' : 'foreground'))
  const lines = labelsBy === 'values' && isPlain ? [] : grouped(labels).slice(0, MOST_LINES).map(describe)
  return [
    ...lines.length === 0 ? [] : [`what values become, by ${labelsBy === 'values' ? "the federation's numbers" : labelsBy}:`],
    ...lines,
    ...lacking.length === 0 ? [] : [`not annotated here, and so neither trained nor scored: ${lacking.join(', ')}`],
    ...labelWarnings.map((warning) => `look at this: ${warning}`)
  ]
}

interface Group { readonly values: readonly number[], readonly pixels: number, readonly becomes: LabelUse['becomes'] }

/** Values with one meaning together. */
function grouped (labels: readonly LabelUse[]): Group[] {
  return [...Map.groupBy(labels, ({ becomes }) => becomes)].map(([becomes, uses]) => ({
    becomes,
    values: uses.map(({ value }) => value),
    pixels: uses.reduce((sum, { pixels }) => sum + pixels, 0)
  }))
}

function describe ({ values, pixels, becomes }: Group): string {
  return `  ${ranges(values)}: ${becomes ?? 'no rule'}, ${pixels} pixels`
}

/** 1–3, 7 */
function ranges (values: readonly number[]): string {
  const parts: [number, number][] = []
  for (const value of values) {
    const last = parts.at(-1)
    if (last?.[1] === value - 1) last[1] = value
    else parts.push([value, value])
  }
  return parts.map(([first, last]) => first === last ? `${first}` : `${first}–${last}`).join(', ')
}
