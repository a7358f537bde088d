import type { Slice } from '../types.ts'
import { isForeground, NO_RULE, type LabelBook } from './label-book.ts'
import { UNKNOWN, type LabelMap } from './label-map.ts'
import type { LabelRules } from './label-rules.ts'
import type { LabelFacts, LabelUse } from './label-use.ts'

/** Labels up to this are kept; greater ones (masks of 0/255 or 0/128/255) are numbered 1, 2, … in their order. */
const MAX_PLAIN_LABEL = 32

/** Masks of what was read become those of the federation's classes, once all values are known. */
export function settleLabels (
  slices: readonly Slice[],
  book: LabelBook,
  rules: LabelRules,
  labels: LabelMap | undefined
): LabelFacts & { readonly slices: readonly Slice[] } {
  const table = labels == null ? plainTable(book, rules) : classTable(book, labels)
  const isSame = table.every((code, byte) => code === byte)
  const coded = isSame ? slices : slices.map((slice) => ({ ...slice, mask: slice.mask.map((byte) => table[byte]!) }))
  const uses = [...book.counts].map(([value, pixels]): LabelUse => {
    const byte = book.bytes.get(value)!
    return { value, pixels, becomes: byte === NO_RULE && table[byte] === UNKNOWN ? null : inWords(table[byte]!, labels) }
  })
  const annotated = rules.annotated ?? labels?.names.flatMap((name, c) => isUsed(labels.members[c]!, book, table) ? [c] : [])
  const lacks = labels?.names.flatMap((_, c) => annotated!.includes(c) ? [] : [c]) ?? []
  const unruled = uses.filter(({ becomes }) => becomes == null)
  return {
    slices: lacks.length === 0 ? coded : coded.map((slice) => ({ ...slice, lacks })),
    classes: labels?.names.length ?? Math.max(0, ...[...book.bytes.values()].map((byte) => table[byte]!).filter(isForeground)),
    labels: uses,
    labelsBy: rules.source,
    lacking: lacks.map((c) => labels!.names[c]!),
    labelWarnings: [...rules.warnings, ...unruled.length === 0 ? [] : [unruledSentence(unruled.map(({ value }) => value))]]
  }
}

function isUsed (member: Uint8Array, book: LabelBook, table: Uint8Array): boolean {
  return [...book.bytes.values()].some((byte) => table[byte] !== UNKNOWN && member[table[byte]!] === 1)
}

/** Small labels are kept, since label 3 must stay 3 where a site happens to lack label 2. */
function plainTable (book: LabelBook, { rule }: LabelRules): Uint8Array {
  const table = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  if (rule != null) return table
  const used = [...book.bytes].filter(([value]) => value > 0).sort(([a], [b]) => a - b)
  const keeps = (used.at(-1)?.[0] ?? 0) <= MAX_PLAIN_LABEL
  used.forEach(([value, byte], rank) => { table[byte] = keeps ? value : Math.min(rank + 1, NO_RULE - 1) })
  return table
}

/** A mask of 0 and one other value, whatever it is, is that of the only class; any other value without a rule is not known. */
function classTable (book: LabelBook, { names }: LabelMap): Uint8Array {
  const table = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const above = [...book.bytes].filter(([, byte]) => byte > 0)
  table[NO_RULE] = names.length === 1 && above.length === 1 && above[0]![1] === NO_RULE ? 1 : UNKNOWN
  return table
}

function inWords (code: number, labels: LabelMap | undefined): string {
  if (code === 0) return 'background'
  if (code === UNKNOWN) return 'not known'
  return labels?.names.filter((_, c) => labels.members[c]![code] === 1).join(' and ') ?? 'foreground'
}

function unruledSentence (values: readonly number[]): string {
  const shown = values.slice(0, 8).join(', ') + (values.length > 8 ? ', …' : '')
  return `no rule says what the ${values.length === 1 ? 'label' : 'labels'} ${shown} ${values.length === 1 ? 'is' : 'are'}: not trained ` +
    'on and not scored; say it in labels.json beside the data'
}
