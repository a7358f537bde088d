import type { Conditions } from '../conditions.ts'
import type { HospitalReport, Report, ReportCheck } from '../report/report.ts'

export interface ConditionInput {
  readonly report: Pick<Report, 'hospitals'>
  readonly conditions: Conditions
  readonly waited: ReadonlySet<string>
}

/** What can be said about conditions; that all finished, agree and reached others is checked in every run. */
export function conditionChecks ({ report: { hospitals }, conditions, waited }: ConditionInput): ReportCheck[] {
  const { loss, liars, swapped } = conditions
  return [
    ...(loss > 0 ? [doubtCheck(hospitals)] : []),
    ...waitChecks(hospitals, conditions, waited),
    ...[...liars].map((site) => liarCheck(hospitals, site)),
    ...(swapped.size > 0 ? [swappedCheck(hospitals, swapped)] : [])
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

function waitChecks (
  hospitals: readonly HospitalReport[],
  { slow, images }: Pick<Conditions, 'slow' | 'images'>,
  waited: ReadonlySet<string>
): ReportCheck[] {
  const others = hospitals.filter((_, site) => !slow.has(site) && !images.has(site))
  if (others.length === hospitals.length || others.length === 0) return []
  const waiting = others.filter(({ name }) => waited.has(name)).map(({ name }) => name)
  const names = hospitals.filter((_, site) => slow.has(site) || images.has(site)).map(({ name }) => name).join(' and ')
  return keepUp(slow, hospitals.length)
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

/** Up to half of a federation that is slow holds nobody up; of two hospitals, the fast one waits where the other falls far behind. */
function keepUp (slow: Conditions['slow'], hospitals: number): boolean {
  return slow.size <= hospitals / 2 && (hospitals > 2 || slow.size === 0)
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

function swappedCheck (hospitals: readonly HospitalReport[], swapped: ReadonlySet<number>): ReportCheck {
  const warned = hospitals.filter(({ warnings }) => warnings.some((warning) => warning.includes('look swapped at this site')))
  const expected = hospitals.filter((_, site) => swapped.has(site))
  const missed = expected.filter((each) => !warned.includes(each))
  const wrongly = warned.filter((each) => !expected.includes(each))
  const names = (list: readonly HospitalReport[]): string => list.map(({ name }) => name).join(', ')
  return {
    name: `labels exchanged at ${names(expected)} are named there by the scores, and nowhere else`,
    ok: missed.length === 0 && wrongly.length === 0,
    detail: [
      missed.length > 0 ? `not by ${names(missed)}` : 'named',
      ...(wrongly.length > 0 ? [`wrongly by ${names(wrongly)}`] : [])
    ].join(', '),
    kind: 'result'
  }
}
