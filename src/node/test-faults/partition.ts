import { peerIdFromString } from '@libp2p/peer-id'
import type { Host } from '../network/host.ts'
import type { TestFaults } from './settings.ts'

const LOOK_MS = 200

/** Test fault: hangs up on the named sites, whoever called, while `round()` is one of theirs. Returns what ends it. */
export function partitionSites (
  host: Pick<Host, 'hangUp' | 'getConnections' | 'addEventListener' | 'removeEventListener'>,
  partitions: TestFaults['apart'],
  round: () => number
): () => void {
  const look = (): void => {
    for (const { peers, from, to } of partitions) {
      if (round() < from || round() > to) continue
      for (const peer of peers.map((each) => peerIdFromString(each)).filter((each) => host.getConnections(each).length > 0)) {
        host.hangUp(peer).catch(() => { /* gone by itself */ })
      }
    }
  }
  const timer = setInterval(look, LOOK_MS)
  host.addEventListener('peer:connect', look)
  return () => {
    clearInterval(timer)
    host.removeEventListener('peer:connect', look)
  }
}
