import type { FederationBody } from '../document.ts'
import { isSameJson } from '../signed.ts'

type Json = Readonly<Record<string, unknown>>

/** One line of what a document says otherwise than the one before it. */
export interface Change {
  /** As training.rounds. */
  readonly name: string
  readonly before: unknown
  readonly after: unknown
}

/** They say which document it is, and nothing of what it decides. */
const PARTICULARS = new Set(['version', 'created', 'software', 'amends', 'signatures'])

/**
 * What two sites of one federation may have different values of and still average: all else decides what an adapter is, what a site
 * counts for or where all began.
 */
const AMENDABLE = [
  /^founders$/,
  /^quorum$/,
  /^leastSoftware$/,
  /^hints$/,
  /^training\.(?!(seed|episode\.(window|group))$|align\b|dualTeacher\b)/,
  /^averaging\.(?!(weighting|maxMass|normBound)$|secure\b)/,
  /^method(\.(preset|tail))?$/
]

/** Every setting that differs, in the order of the documents. */
export function changesBetween (before: FederationBody, after: FederationBody): Change[] {
  return differences(before, after)
}

/** The same of parts of documents; `path` is what the names begin with. */
export function differences (before: Json, after: Json, path = ''): Change[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key): Change[] => {
    const [low, high] = [before[key], after[key]]
    if ((path === '' && PARTICULARS.has(key)) || isSameJson(low, high)) return []
    // A section that only one of the documents has is one line for each of its settings.
    if (isSection(low ?? {}) && isSection(high ?? {})) return differences(low as Json ?? {}, high as Json ?? {}, `${path}${key}.`)
    return [{ name: path + key, before: low, after: high }]
  })
}

function isSection (value: unknown): boolean {
  return typeof value === 'object' && value != null && !Array.isArray(value)
}

/** The first change that would make another federation of it, if any. */
export function unamendable (changes: readonly Change[]): Change | undefined {
  return changes.find(({ name }) => !AMENDABLE.some((pattern) => pattern.test(name)))
}

/** As "training.rounds: 10 becomes 20". */
export function changeInWords ({ name, before, after }: Change): string {
  const words = (value: unknown): string => value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value)
  return `${name}: ${words(before)} becomes ${words(after)}`
}
