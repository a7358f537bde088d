import type { SiteStatus } from '../../../src/rounds/status.ts'
import type { HospitalProcess } from '../hospitals/hospital-process.ts'

const PHASES = {
  starting: 'starting',
  waiting: 'waiting for the others',
  reading: 'reading',
  G: 'phase G',
  exchange: 'exchange',
  L: 'phase L',
  'cool-down': 'cool-down',
  done: 'done',
  stopped: 'stopped'
} as const

/** A site that was behind goes on in the others' round, and its training with it (src/rounds/training-round.ts). */
const CAUGHT_UP = /it took the adapter of site \S+ over, with what it had trained itself on top/

/** "phase G 12/40", "loading weights", "killed": what a hospital is doing, in a few words. */
export function describePhase ({ state, status, exitCode, signal }: HospitalProcess, withStep: boolean): string {
  if (state === 'failed') return `failed (${signal ?? `exit code ${exitCode}`})`
  if (state === 'starting' || (state === 'running' && status == null)) return 'starting'
  if (state !== 'running' || status == null) return state
  if (status.trainer !== 'ready') return status.trainer === 'loading' ? 'loading weights' : 'trainer restarting'
  return PHASES[status.phase] + (withStep ? describeStep(status) : '')
}

function describeStep ({ phase, progress }: SiteStatus): string {
  return progress != null && (phase === 'G' || phase === 'L') ? ` ${progress.step}/${progress.steps}` : ''
}

/** 12 kB, 3.4 MB. */
export function describeBytes (bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** The hospital's name for a peer id, or the id's end where it is not known. */
export function partnerName (processes: readonly HospitalProcess[], peerId: string | undefined): string {
  if (peerId == null) return ''
  return processes.find(({ status }) => status?.peerId === peerId)?.hospital.name ?? `…${peerId.slice(-6)}`
}

/** "trains 40 % of a round's steps to keep up", to the next tenth; empty for whoever trains all. */
export function describePace ({ isOver, status }: HospitalProcess): string {
  const tenths = Math.round(10 * (status?.pace ?? 1))
  return isOver || tenths >= 10 ? '' : `trains ${10 * Math.max(1, tenths)} % of a round's steps to keep up`
}

/** "waits for hospital-b and hospital-c before it ends"; empty for whoever waits for nobody. */
export function describeWaiting ({ isOver, status }: HospitalProcess, processes: readonly HospitalProcess[]): string {
  const names = isOver ? [] : (status?.waitsFor ?? []).map((peerId) => partnerName(processes, peerId))
  return names.length === 0 ? '' : `waits for ${names.join(' and ')} before it ends`
}

/** What a hospital says, with the hospitals' names for their peer ids; that it caught up is progress, and is called so. */
export function describeWarning (warning: string, processes: readonly HospitalProcess[]): string {
  const ids = processes.flatMap(({ status }) => status?.peerId ?? [])
  const named = ids.reduce((text, peerId) => text.replaceAll(`site ${peerId}`, `site ${partnerName(processes, peerId)}`), warning)
  return `${CAUGHT_UP.test(warning) ? 'caught up' : 'says'}: ${named}`
}
