import type { Fitted } from '../dataset/index.ts'

/** In the order of the patients' names, so that the order of files says nothing. */
export function byPatient (samples: readonly Fitted[]): Map<string, Fitted[]> {
  const found = new Map<string, Fitted[]>()
  const nameOf = ({ subject, id }: Fitted): string => subject ?? id
  for (const each of [...samples].sort((a, b) => Number(nameOf(a) > nameOf(b)) - Number(nameOf(a) < nameOf(b)))) {
    found.set(nameOf(each), [...found.get(nameOf(each)) ?? [], each])
  }
  return found
}
