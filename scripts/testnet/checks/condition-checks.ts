import type { Conditions } from '../conditions.ts'
import type { HospitalReport, Report, ReportCheck } from '../report/report.ts'

export interface ConditionInput {
  readonly report: Pick<Report, 'hospitals'>
  readonly conditions: Conditions
  readonly waited: ReadonlySet<string>
}

/** What can be said about --loss, --slow and --liar; that all finished and agree is checked in every run. */
export function conditionChecks ({ report: { hospitals }, conditions: { loss, slow, liars }, waited }: ConditionInput): ReportCheck[] {
  return [
    ...(loss > 0 ? [doubtCheck(hospitals)] : []),
    ...slowChecks(hospitals, slow, waited),
    ...[...liars].map((site) => liarCheck(hospitals, site))
  ]
}

/** A partner that had left before it could be asked is asked at the next start: that is no failure. */
function doubtCheck (hospitals: readonly HospitalReport[]): ReportCheck {
  const open = hospitals.filter(({ inDoubt }) => inDoubt != null && inDoubt > 0)
  return {
    name: 'exchanges cut off by lost frames are settled',
    ok: open.length === 0,
    detail: open.length === 0 ? 'none is left in doubt' : open.map(({ name, inDoubt }) => `${name}: ${inDoubt} in doubt`).join(', '),
    kind: 'measure'
  }
}

/** The median of the others' rounds is what a site waits for: as long as the slow ones are few, that is not theirs. */
function slowChecks (hospitals: readonly HospitalReport[], slow: Conditions['slow'], waited: ReadonlySet<string>): ReportCheck[] {
  if (slow.size === 0) return []
  const others = hospitals.filter((_, site) => !slow.has(site))
  const waiting = others.filter(({ name }) => waited.has(name)).map(({ name }) => name)
  const names = [...slow.keys()].map((site) => hospitals[site]?.name).join(' and ')
  const few = slow.size < (hospitals.length - 1) / 2
  return few
    ? [{
        name: `nobody waited for ${names}`,
        ok: waiting.length === 0,
        detail: waiting.length === 0 ? 'the others never paused' : `${waiting.join(', ')} paused`,
        kind: 'result'
      }]
    : [{
        name: `those far ahead of ${names} paused training`,
        ok: waiting.length > 0,
        detail: waiting.length > 0 ? `${waiting.join(', ')} paused and said so` : 'nobody was more than three rounds ahead',
        kind: 'measure'
      }]
}

function liarCheck (hospitals: readonly HospitalReport[], site: number): ReportCheck {
  const liar = hospitals[site]
  const naming = hospitals.filter(({ warnings }) =>
    warnings.some((warning) => warning.includes('was clipped') && warning.includes(liar?.peerId ?? '?'))
  ).map(({ name }) => name)
  return {
    name: `${liar?.name} is named for what it sends`,
    ok: naming.length > 0,
    detail: naming.length > 0 ? `by ${naming.join(', ')}` : 'nobody had enough exchanges with it',
    kind: 'measure'
  }
}
