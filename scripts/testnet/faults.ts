import { UsageError } from '../../src/errors.ts'
import type { SitePhase } from '../../src/rounds/status.ts'

export interface Fault {
  readonly kind: 'kill' | 'restart'
  /** Index of the hospital, from 0. */
  readonly site: number
  /** The round in which it strikes, from 1. */
  readonly round: number
}

/** Reads SITE@ROUND. @throws UsageError saying what is possible. */
export function parseFault (kind: Fault['kind'], text: string, hospitals: number, rounds: number): Fault {
  const match = /^(\d+)@(\d+)$/.exec(text)
  if (match == null) throw new UsageError(`--${kind} ${text} must be SITE@ROUND, for example 0@2`)
  const [site, round] = [Number(match[1]), Number(match[2])]
  if (site >= hospitals) throw new UsageError(`--${kind} ${text}: there are the hospitals 0 to ${hospitals - 1}`)
  if (round < 1 || round > rounds) throw new UsageError(`--${kind} ${text}: there are the rounds 1 to ${rounds}`)
  return { kind, site, round }
}

/** Phases in which a hospital works on its round. */
export const WORKING: readonly SitePhase[] = ['G', 'exchange', 'L', 'cool-down']

/** True once the site works on the fault's round (or, should polling have missed it, on a later one). */
export function isDue (fault: Fault, status: { round: number, phase: SitePhase }): boolean {
  return WORKING.includes(status.phase) && status.round >= fault.round
}
