import type { Slice } from '../types.ts'

const MOST_SHOWN = 12

/** Slices of each subject, in the order of their names: for this machine's terminal alone. */
export function listSubjects (slices: readonly Slice[]): Array<{ readonly subject: string, readonly slices: number }> {
  const counts = new Map<string, number>()
  for (const { subject } of slices) counts.set(subject, (counts.get(subject) ?? 0) + 1)
  return [...counts].map(([subject, count]) => ({ subject, slices: count })).sort((a, b) => a.subject < b.subject ? -1 : 1)
}

/** The same in one line: who the names (or the site's list) make of the slices. */
export function describeSubjects (slices: readonly Slice[]): string {
  const list = listSubjects(slices)
  const [first] = list
  if (first == null) return 'no subjects'
  if (list.length === 1) return `${first.slices} ${first.slices === 1 ? 'slice' : 'slices'} of 1 subject: ${first.subject}`
  const shown = list.slice(0, MOST_SHOWN).map(({ subject, slices: count }) => `${subject} (${count})`)
  return `subjects, with their slices: ${shown.join(', ')}${list.length > MOST_SHOWN ? `, and ${list.length - MOST_SHOWN} more` : ''}`
}
