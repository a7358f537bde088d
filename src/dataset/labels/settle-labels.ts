import { recoded, withClasses } from '../kept-slice.ts'
import type { Slice } from '../types.ts'
import { isForeground, type LabelBook } from './label-book.ts'
import { UNKNOWN, type LabelMap } from './label-map.ts'
import type { LabelRules } from './label-rules.ts'
import type { LabelFacts, LabelUse } from './label-use.ts'

/** Labels up to this are kept; greater ones (masks of 0/255 or 0/128/255) are numbered 1, 2, … in their order. */
const MAX_PLAIN_LABEL = 32

type Values = LabelBook['values']

/** Masks of what was read become those of the federation's classes, once all values are known. */
export function settleLabels (
  slices: readonly Slice[],
  book: LabelBook,
  rules: LabelRules,
  labels: LabelMap | undefined
): LabelFacts & { readonly slices: readonly Slice[] } {
  const { values } = book
  const table = labels == null ? plainTable(values, rules) : classTable(values, labels)
  const isSame = values.every(({ byte }) => table[byte] === byte)
  const coded = isSame ? slices : slices.map((slice) => recoded(slice, table))
  const isUnruled = ({ byte, code }: Values[number]): boolean => code == null && table[byte] === UNKNOWN
  const uses = values.map((each): LabelUse =>
    ({ value: each.value, pixels: each.pixels, becomes: isUnruled(each) ? null : inWords(table[each.byte]!, labels) }))
  const codes = values.map(({ byte }) => table[byte]!).filter(isForeground)
  const annotated = rules.annotated ?? labels?.members.flatMap((member, c) => codes.some((code) => member[code] === 1) ? [c] : [])
  const lacks = labels?.names.flatMap((_, c) => annotated!.includes(c) ? [] : [c]) ?? []
  const unruled = uses.filter(({ becomes }) => becomes == null)
  return {
    slices: labels == null ? coded : coded.map((slice) => withClasses(slice, classesOf(slice, labels, lacks))),
    classes: labels?.names.length ?? Math.max(0, ...codes),
    labels: uses,
    labelsBy: rules.source,
    lacking: lacks.map((c) => labels!.names[c]!),
    labelWarnings: [...rules.warnings, ...unruled.length === 0 ? [] : [unruledSentence(unruled.map(({ value }) => value))]]
  }
}

/** Where several classes are named, those that a slice shows; where its site annotates not all, the others. */
export function classesOf ({ mask }: Slice, labels: LabelMap, lacks: readonly number[]): Pick<Slice, 'shows' | 'lacks'> {
  const codes = [...new Set(mask)].filter(isForeground)
  const shows = labels.members.flatMap((member, c) => codes.some((code) => member[code] === 1) ? [c] : [])
  return { ...(labels.names.length === 1 ? {} : { shows }), ...(lacks.length === 0 ? {} : { lacks }) }
}

/** Small labels are kept, since label 3 must stay 3 where a site happens to lack label 2; where the site has a rule, all are one. */
function plainTable (values: Values, { rule }: LabelRules): Uint8Array {
  const table = new Uint8Array(256)
  const used = values.filter(({ value }) => value > 0)
  const keeps = (used.at(-1)?.value ?? 0) <= MAX_PLAIN_LABEL
  for (const { byte, code } of values) table[byte] = code ?? 0
  if (rule == null) used.forEach(({ value, byte }, rank) => { table[byte] = keeps ? value : Math.min(rank + 1, UNKNOWN - 1) })
  return table
}

/** A mask of 0 and one other value, whatever it is, is that of the only class; any other value without a rule is not known. */
function classTable (values: Values, { names }: LabelMap): Uint8Array {
  const table = new Uint8Array(256)
  const above = values.filter(({ byte }) => byte > 0)
  const isOnly = names.length === 1 && above.length === 1
  for (const { byte, code } of values) table[byte] = code ?? (isOnly ? 1 : UNKNOWN)
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
