import type { SiteStatus } from '../../src/rounds/status.ts'
import { WORKING, type Fault } from './faults.ts'
import type { HospitalProcess } from './hospitals/hospital-process.ts'

/** A fault as it struck, and what was seen of the hospital afterwards. */
export interface Strike {
  readonly fault: Fault
  readonly name: string
  readonly peerId: string
  /** The round that really ran at that moment. */
  readonly round: number
  /** First seen after a restart. */
  peerIdAfter?: string
  /** The first round in which it worked again. */
  roundAfter?: number
}

/** What only an observer knows: faults, and who a restarted hospital said it was. */
export class Journal {
  readonly strikes: Strike[] = []
  /** Names of hospitals that were seen to pause training because they were far ahead. */
  readonly waited = new Set<string>()

  strike (fault: Fault, { hospital, status }: HospitalProcess): void {
    this.strikes.push({ fault, name: hospital.name, peerId: status?.peerId ?? '', round: status?.round ?? 0 })
  }

  record (processes: readonly HospitalProcess[]): void {
    for (const { hospital, status, state } of processes) {
      // Before its first round a hospital waits for members, and for nobody who is slow.
      if (status?.phase === 'waiting' && status.round > 1) this.waited.add(hospital.name)
      const last = this.strikes.findLast(({ name }) => name === hospital.name)
      if (last == null || last.fault.kind === 'kill' || status == null || state !== 'running') continue
      last.peerIdAfter ??= status.peerId
      if (isWorking(status)) last.roundAfter ??= status.round
    }
  }
}

function isWorking ({ phase, trainer }: SiteStatus): boolean {
  return WORKING.includes(phase) && trainer === 'ready'
}
