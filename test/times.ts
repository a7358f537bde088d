const YEARS_MS = 3 * 366 * 86_400_000
const DAY = /^\d{4}-\d\d-\d\d/
const WANTED = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/

/** Where a value holds a time that is not ISO 8601 in UTC: milliseconds since 1970 of these years, a day, another zone. */
export function timesInAnotherForm (value: unknown, at = ''): string[] {
  if (typeof value === 'number') return isTime(value) ? [at] : []
  if (typeof value === 'string') return DAY.test(value) && !WANTED.test(value) ? [at] : []
  if (typeof value !== 'object' || value == null) return []
  return Object.entries(value).flatMap(([name, each]) => timesInAnotherForm(each, `${at}/${name}`))
}

function isTime (ms: number): boolean {
  return Number.isInteger(ms) && Math.abs(ms - Date.now()) < YEARS_MS
}
