import { BACKGROUND, IGNORE, plainName, UNKNOWN, type LabelMap } from '../labels/label-map.ts'
import type { LabelRules } from '../labels/label-rules.ts'
import type { Problem } from '../types.ts'
import type { CodeOf } from './draw.ts'

/**
 * What labels of marks are as codes: numbers by the rules of masks, names by those of the federation's classes; and a problem that says how
 * many labels are none.
 */
export function codesBy ({ rule }: LabelRules, labels: LabelMap | undefined): { codeOf: CodeOf, unruled: () => Problem[] } {
  const without = new Set<number | string>()
  const ofNumber = (value: number): number | undefined => {
    const code = rule == null ? (value > 0 ? 1 : 0) : rule(value)
    return code ?? (value > 0 && labels?.names.length === 1 ? 1 : undefined)
  }
  const codeOf: CodeOf = (label) => {
    const name = plainName(String(label))
    if (name === IGNORE) return UNKNOWN
    if (name === BACKGROUND) return 0
    const code = /^\d+$/.test(name) ? ofNumber(Number(name)) : typeof label === 'number' ? undefined : ofName(name, labels)
    if (code == null) without.add(label)
    return code
  }
  return { codeOf, unruled: () => without.size === 0 ? [] : [{ file: '.', reason: noClass(without.size, labels), files: 0 }] }
}

/** The code of least classes among those that have it. */
function ofName (name: string, labels: LabelMap | undefined): number | undefined {
  if (labels == null) return 1
  const c = labels.names.findIndex((each) => plainName(each) === name)
  if (c < 0) return undefined
  const classesOf = (code: number): number => labels.members.reduce((sum, member) => sum + member[code]!, 0)
  const codes = labels.values.flatMap((_, code) => labels.members[c]![code] === 1 ? [code] : [])
  return codes.sort((a, b) => classesOf(a) - classesOf(b))[0]
}

function noClass (count: number, labels: LabelMap | undefined): string {
  const known = labels == null ? 'whole numbers from 0, or names' : `the federation has ${labels.names.join(', ')}`
  const what = count === 1 ? '1 label of marks is' : `${count} labels of marks are`
  return `${what} of no class, and left out (${known}): rename them`
}
