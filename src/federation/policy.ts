import { InputError } from '../errors.ts'
import type { Policy, PolicyRule } from '../settings/site/policy.ts'
import type { FederationBody } from './document.ts'
import { isSameJson } from './signed.ts'

/** What a document says of one setting, and whether the policy allows it. */
export interface PolicyLine {
  readonly name: string
  /** In words. */
  readonly document: string
  readonly policy: string
  readonly isWithin: boolean
}

/** A document beside a site's policy, one line for each of its rules. */
export function comparePolicy ({ document: rules = {} }: Policy, document: FederationBody): PolicyLine[] {
  return Object.entries(rules).map(([name, rule]) => {
    const value = name.split('.').reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], document)
    return { name, document: value === undefined ? 'not said' : inWords(value), policy: ruleInWords(rule), isWithin: allows(rule, value) }
  })
}

/** The lines of a document that are beyond the policy, in words; undefined where there are none. */
export function beyondPolicy (policy: Policy, document: FederationBody): string | undefined {
  const beyond = comparePolicy(policy, document).filter(({ isWithin }) => !isWithin)
  if (beyond.length === 0) return undefined
  const words = beyond.map(({ name, document: said, policy: allowed }) => `${name} is ${said}, and this site's policy.json says ${allowed}`)
  return words.join('; ')
}

/** Before anything leaves. @throws InputError naming the lines of both */
export function requirePolicy (policy: Policy, document: FederationBody): void {
  const beyond = beyondPolicy(policy, document)
  if (beyond != null) throw new InputError(`the federation goes beyond the policy of this site: ${beyond}`)
}

function allows ({ least = -Infinity, most = Infinity, only }: PolicyRule, value: unknown): boolean {
  if (only != null && !only.some((each) => isSameJson(each, value ?? null))) return false
  if (value == null) return only != null
  const isBounded = least > -Infinity || most < Infinity
  return !isBounded || (typeof value === 'number' && value >= least && value <= most)
}

function ruleInWords ({ least, most, only }: PolicyRule): string {
  return [
    ...(least == null ? [] : [`at least ${least}`]),
    ...(most == null ? [] : [`at most ${most}`]),
    ...(only == null ? [] : [`only ${only.map((each) => each ?? 'not said').join(' or ')}`])
  ].join(', ')
}

function inWords (value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
