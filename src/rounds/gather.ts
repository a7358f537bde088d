import type { Clock } from './clock.ts'
import type { Notices } from './notices.ts'
import type { PeerTable } from './peer-table.ts'

export interface GatherInit {
  readonly peers: Pick<PeerTable, 'presentCount' | 'hadBegun'>
  readonly notices: Pick<Notices, 'warn' | 'over'>
  readonly clock: Clock
  /** Members, this site among them. */
  readonly waitFor: number
  /** Told once, where it has to wait. */
  readonly onWaiting: () => void
}

const POLL_MS = 250

/** Waits before the first round until enough members are there, or one that had begun before this site came. */
export async function gather ({ peers, notices, clock, waitFor, onWaiting }: GatherInit, signal: AbortSignal): Promise<void> {
  const count = (): number => 1 + peers.presentCount()
  const isEnough = (): boolean => count() >= waitFor || peers.hadBegun()
  if (isEnough()) return
  onWaiting()
  for (let said = 0; !isEnough(); await clock.sleep(POLL_MS, signal)) {
    if (count() !== said) notices.warn('members', sentenceOf(count(), waitFor), { isNews: true })
    said = count()
  }
  notices.over('members', `${count()} members are there: training begins`)
}

function sentenceOf (there: number, waitFor: number): string {
  return `this site waits for other members before its first round: ${there} of ${waitFor} ${there === 1 ? 'is' : 'are'} there, itself ` +
    'counted; training begins by itself as soon as the others have started (--wait-for says how many)'
}
