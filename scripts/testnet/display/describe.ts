import type { SiteStatus } from '../../../src/rounds/status.ts'
import type { HospitalProcess } from '../hospitals/hospital-process.ts'

const PHASES = {
  starting: 'starting',
  waiting: 'waiting for the others',
  G: 'phase G',
  exchange: 'exchange',
  L: 'phase L',
  'cool-down': 'cool-down',
  done: 'done',
  stopped: 'stopped'
} as const

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
