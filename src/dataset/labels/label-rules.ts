import { InputError } from '../../errors.ts'
import type { LabelRule } from './label-book.ts'
import { BACKGROUND, IGNORE, plainName, UNKNOWN, type LabelMap } from './label-map.ts'
import { isCalled, LABELS_FILE, type StatedLabels } from './site-labels.ts'

/** By what a site's values were mapped: its own file, its dataset.json, or the federation's own numbers. */
export type RuleSource = StatedLabels['source'] | 'values'

export interface LabelRules {
  readonly source: RuleSource
  /** undefined: every value keeps its byte, and all above 0 is foreground */
  readonly rule: LabelRule | undefined
  /** classes, from 0, that the site says it annotates; undefined: those that occur */
  readonly annotated: readonly number[] | undefined
  /** sentences without a name of the site's */
  readonly warnings: readonly string[]
}

/** What a site's values become. @throws InputError for names that no class of the federation has */
export function labelRules (stated: StatedLabels | undefined, labels: LabelMap | undefined): LabelRules {
  if (labels == null) return withoutClasses(stated)
  if (stated == null) return { source: 'values', rule: byValue(labels), annotated: undefined, warnings: [] }
  const codes = new Map([...stated.labels].map(([value, names]) => [value, codeOf(names, labels, stated.source)]))
  const isStated = (member: Uint8Array): boolean => [...codes.values()].some((code) => code !== UNKNOWN && member[code] === 1)
  const annotated = labels.members.flatMap((member, c) => isStated(member) ? [c] : [])
  if (annotated.length === 0) {
    throw new InputError(
      `${stated.source} names none of the federation's classes (${labels.names.join(', ')}): say in ${LABELS_FILE} what each value is`
    )
  }
  return {
    source: stated.source,
    rule: (value) => codes.get(value) ?? (value === 0 ? 0 : undefined),
    annotated,
    warnings: [...crossed(codes, labels), ...contradictions(stated)]
  }
}

/** Everything above 0 is foreground, but for what the site calls background, or says that nobody knows. */
function withoutClasses (stated: StatedLabels | undefined): LabelRules {
  const special = new Map([...stated?.labels ?? []].flatMap(([value, names]): [number, number][] => {
    if (isCalled(names, IGNORE)) return [[value, UNKNOWN]]
    return value > 0 && isCalled(names, BACKGROUND) ? [[value, 0]] : []
  }))
  const base = { source: stated != null && special.size > 0 ? stated.source : 'values', annotated: undefined, warnings: [] } as const
  if (special.size === 0) return { ...base, rule: undefined }
  return { ...base, rule: (value) => special.get(value) ?? (value === 0 ? 0 : 1) }
}

function byValue ({ values, ignore }: LabelMap): LabelRule {
  return (value) => {
    if (value === ignore) return UNKNOWN
    const code = values.indexOf(value)
    return code < 0 ? undefined : code
  }
}

/** The code of least classes that has all of these; a name that the federation does not know is none of its classes. */
function codeOf (names: readonly (string | number)[], labels: LabelMap, source: StatedLabels['source']): number {
  if (isCalled(names, IGNORE)) return UNKNOWN
  const [numbers, named] = [names.filter((name) => typeof name === 'number'), names.filter((name) => typeof name === 'string')]
  const [number] = numbers
  if (number != null) {
    const code = number === labels.ignore ? UNKNOWN : labels.values.indexOf(number)
    if (code < 0) throw unknownName(String(number), source, labels)
    return code
  }
  const wanted = named.map((name) => [name, labels.names.findIndex((own) => plainName(own) === plainName(name))] as const)
  const strange = wanted.find(([name, c]) => c < 0 && plainName(name) !== BACKGROUND)
  if (strange != null && source === LABELS_FILE) throw unknownName(strange[0], source, labels)
  const classes = wanted.flatMap(([, c]) => c < 0 ? [] : [c])
  return classes.length === 0 ? 0 : smallest(classes, labels)
}

/** The code of least classes that belongs to all of these, from 0. @throws InputError where there is none */
export function smallest (classes: readonly number[], { values, members, names }: LabelMap): number {
  const size = (code: number): number => members.filter((member) => member[code] === 1).length
  const codes = values.flatMap((_, code) => code > 0 && classes.every((c) => members[c]![code] === 1) ? [code] : [])
  const best = codes.toSorted((a, b) => size(a) - size(b))[0]
  if (best == null) throw new InputError(`no value of the federation is ${classes.map((c) => names[c]).join(' and ')} at once`)
  return best
}

function unknownName (name: string, source: string, { names }: LabelMap): InputError {
  return new InputError(`${source} speaks of ${name}, which is no class of the federation: its classes are ${names.join(', ')}`)
}

/** Values that become each other's: right where a site numbers them so, and else the commonest of all mistakes. */
function crossed (codes: ReadonlyMap<number, number>, { values }: LabelMap): string[] {
  const becomes = (value: number): number | undefined => {
    const code = codes.get(value)
    return code == null || code === UNKNOWN ? undefined : values[code]
  }
  return values.flatMap((a, i) => values.slice(i + 1).flatMap((b) => {
    if (a === 0 || becomes(a) !== b || becomes(b) !== a) return []
    return [`labels ${a} and ${b} look swapped: here ${a} becomes the federation's ${b}, and ${b} its ${a}; right only where this site ` +
      'numbers them the other way round']
  }))
}

/** Where a site's two files call one value by two names, one of which the other file gives to another value. */
function contradictions ({ labels, other }: StatedLabels): string[] {
  if (other == null) return []
  return [...labels].flatMap(([value, names]) => {
    const [own, theirs] = [words(names), words(other.get(value) ?? [])]
    const elsewhere = [...other].some(([at, called]) => at !== value && words(called).some((name) => own.includes(name)))
    if (theirs.length === 0 || own.some((name) => theirs.includes(name)) || !elsewhere) return []
    return [
      `label ${value} has another name in ${LABELS_FILE} than in dataset.json, which gives that name to another value: one of them is wrong`
    ]
  })
}

function words (names: readonly (string | number)[]): string[] {
  return names.flatMap((name) => typeof name === 'string' ? [plainName(name)] : [])
}
