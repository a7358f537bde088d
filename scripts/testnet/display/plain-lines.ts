import type { SiteStatus } from '../../../src/rounds/status.ts'
import type { HospitalProcess } from '../hospitals/hospital-process.ts'
import { describePace, describePhase, describeWaiting, describeWarning, partnerName } from './describe.ts'
import type { Display } from './display.ts'

const QUARTERS = 4

interface Seen {
  readonly state: string
  readonly dice: string
  readonly warnings: readonly string[]
  readonly quarter: number
  readonly pace: string
  readonly waiting: string
}

const UNSEEN: Seen = { state: '', dice: '', warnings: [], quarter: 0, pace: '', waiting: '' }

/** One line per change: "00:42 hospital-b round 3 phase G". */
export class PlainLines implements Display {
  readonly #write: (line: string) => void
  readonly #clock: () => string
  readonly #seen = new Map<string, Seen>()

  constructor (write: (line: string) => void, clock: () => string) {
    this.#write = write
    this.#clock = clock
  }

  update (processes: readonly HospitalProcess[]): void {
    for (const each of processes) {
      const before = this.#seen.get(each.hospital.name) ?? UNSEEN
      const now = look(each, processes)
      this.#seen.set(each.hospital.name, now)
      for (const text of changes(each, before, now, processes)) this.note(`${each.hospital.name} ${text}`)
    }
  }

  note (text: string): void {
    this.#write(`${this.#clock()} ${text}`)
  }

  done (): void {}
}

function look (each: HospitalProcess, processes: readonly HospitalProcess[]): Seen {
  return {
    state: describeState(each),
    dice: describeDice(each.status),
    warnings: each.status?.warnings ?? [],
    quarter: quarter(each),
    pace: describePace(each),
    waiting: describeWaiting(each, processes)
  }
}

function changes (each: HospitalProcess, before: Seen, now: Seen, processes: readonly HospitalProcess[]): string[] {
  const news = now.warnings.filter((warning) => !before.warnings.includes(warning))
  const lines = news.map((warning) => describeWarning(warning, processes))
  if (now.dice !== '' && now.dice !== before.dice) lines.push(now.dice)
  if (now.state !== before.state) lines.push(now.state + describePartner(each, processes))
  else if (now.quarter !== before.quarter && now.quarter > 0) lines.push(`${now.state} ${describePhase(each, true).split(' ').at(-1)}`)
  return each.isOver ? lines : [...lines, ...remarks(before, now)]
}

function remarks (before: Seen, now: Seen): string[] {
  const pace = now.pace === before.pace ? '' : now.pace === '' ? 'trains whole rounds again' : now.pace
  const waiting = now.waiting === before.waiting ? '' : now.waiting
  return [pace, waiting].filter((text) => text !== '')
}

function describeState (each: HospitalProcess): string {
  const round = each.state === 'running' && each.status != null && each.status.round > 0 ? `round ${each.status.round} ` : ''
  return round + describePhase(each, false)
}

function describePartner (each: HospitalProcess, processes: readonly HospitalProcess[]): string {
  const partner = each.status?.phase === 'exchange' && !each.isOver ? partnerName(processes, each.status.partner) : ''
  return partner === '' ? '' : ` with ${partner}`
}

function describeDice (status: SiteStatus | undefined): string {
  if (status?.dice == null) return ''
  return `Dice global ${status.dice.global.toFixed(3)}, personal ${status.dice.personal.toFixed(3)}`
}

/** Quarters of the phase that are done, so that a long one shows that it moves. */
function quarter ({ status }: HospitalProcess): number {
  if (status?.progress == null || (status.phase !== 'G' && status.phase !== 'L')) return 0
  return Math.floor(QUARTERS * status.progress.step / Math.max(1, status.progress.steps)) % QUARTERS
}
