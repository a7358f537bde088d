import { setTimeout as delay } from 'node:timers/promises'
import type { Display } from './display/display.ts'
import { isDue, type Fault } from './faults.ts'
import type { HospitalProcess } from './hospitals/hospital-process.ts'
import type { Journal } from './journal.ts'

const POLL_MS = 400
const STALL_MS = 300_000

export interface FollowOptions {
  readonly faults: readonly Fault[]
  readonly display: Display
  readonly journal: Journal
  readonly signal: AbortSignal
}

/**
 * Watches the daemons through their control ports until all have ended, and lets faults strike when their round runs.
 * An abort, or no sign of progress anywhere for five minutes, stops them all in order.
 */
export async function follow (processes: readonly HospitalProcess[], { faults, display, journal, signal }: FollowOptions): Promise<void> {
  const waiting = new Set(faults)
  let last = { signature: '', at: Date.now() }
  while (!processes.every((each) => each.isOver)) {
    await Promise.all(processes.map(async (each) => { await each.poll() }))
    journal.record(processes)
    await strike(processes, waiting, display, journal)
    display.update(processes)
    const signature = JSON.stringify(processes.map(progressOf))
    if (signature !== last.signature) last = { signature, at: Date.now() }
    if (signal.aborted || Date.now() - last.at > STALL_MS) {
      display.note(signal.aborted ? 'stopping the hospitals…' : 'nothing has moved for five minutes: stopping the hospitals')
      await Promise.all(processes.map(async (each) => { await each.stop() }))
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => {})
  }
  display.update(processes)
}

async function strike (processes: readonly HospitalProcess[], waiting: Set<Fault>, display: Display, journal: Journal): Promise<void> {
  for (const fault of waiting) {
    const target = processes[fault.site]!
    if (target.state !== 'running' || target.status == null || !isDue(fault, target.status)) continue
    waiting.delete(fault)
    journal.strike(fault, target)
    display.note(
      `SIGKILL for ${target.hospital.name} in round ${target.status.round}${
        fault.kind === 'restart' ? ', then a new start on the same home' : ''
      }`
    )
    await (fault.kind === 'kill' ? target.kill() : target.restart())
  }
}

function progressOf ({ state, status }: HospitalProcess): unknown[] {
  return [state, status?.round, status?.phase, status?.progress?.step, status?.exchanges]
}
