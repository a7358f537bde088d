import type { Notices } from './notices.ts'

const KEY = 'core '

/** Of which sites what they show of their training is not used, as of now; nothing changes where no phase has told. */
export function sayUnused (notices: Pick<Notices, 'warn' | 'over' | 'conditions'>, unused: readonly string[] | undefined): void {
  if (unused == null) return
  for (const peer of unused) {
    notices.warn(`core ${peer}`, `what site ${peer} shows as its core-adapter is far off from what the others show: it is not used`)
  }
  const before = notices.conditions.flatMap(({ key }) => key.startsWith(KEY) ? [key.slice(KEY.length)] : [])
  for (const peer of before.filter((each) => !unused.includes(each))) {
    notices.over(`core ${peer}`, `what site ${peer} shows as its core-adapter is like that of the others again, or gone`)
  }
}
