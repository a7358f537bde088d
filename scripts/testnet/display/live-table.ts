import Table from 'cli-table3'
import { createLogUpdate } from 'log-update'
import type { HospitalProcess } from '../hospitals/hospital-process.ts'
import { describeBytes, describePace, describePhase, describeWaiting, partnerName } from './describe.ts'
import type { Display } from './display.ts'

interface Column {
  readonly head: string
  /** Left out on narrow terminals. */
  readonly wide?: true
  readonly cell: (each: HospitalProcess, all: readonly HospitalProcess[]) => string
}

const COLUMNS: readonly Column[] = [
  { head: 'site', cell: ({ hospital }) => hospital.name },
  { head: 'round', cell: ({ status }) => status == null ? '' : `${status.round}/${status.rounds}` },
  { head: 'phase', cell: (each) => describePhase(each, true).padEnd(14) },
  { head: 'partner', wide: true, cell: (each, all) => each.isOver ? '' : partnerName(all, each.status?.partner) },
  { head: 'global', cell: ({ status }) => status?.dice?.global.toFixed(3) ?? '' },
  { head: 'personal', cell: ({ status }) => status?.dice?.personal.toFixed(3) ?? '' },
  { head: 'distance', cell: ({ status }) => status?.consensus?.toFixed(4) ?? '' },
  { head: 'sent', cell: ({ status }) => status == null ? '' : describeBytes(status.bytesSent) },
  { head: 'received', wide: true, cell: ({ status }) => status == null ? '' : describeBytes(status.bytesReceived) }
]
const WIDE = 120

/** One table that is drawn over itself. */
export class LiveTable implements Display {
  readonly #draw: ReturnType<typeof createLogUpdate>
  readonly #stream: NodeJS.WriteStream
  readonly #clock: () => string

  constructor (stream: NodeJS.WriteStream, clock: () => string) {
    this.#draw = createLogUpdate(stream)
    this.#stream = stream
    this.#clock = clock
  }

  update (processes: readonly HospitalProcess[]): void {
    this.#draw(`${this.#clock()}\n${drawTable(processes, this.#stream.columns)}`)
  }

  note (text: string): void {
    this.#draw.persist(`${this.#clock()} ${text}`)
  }

  done (): void {
    this.#draw.done()
  }
}

/** One line per hospital, with fewer columns where the terminal is narrow; below, who shortens its phases and who waits. */
export function drawTable (processes: readonly HospitalProcess[], width: number): string {
  const columns = COLUMNS.filter(({ wide }) => width >= WIDE || wide == null)
  const table = new Table({
    head: columns.map(({ head }) => head),
    style: { head: [], border: ['grey'] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' }
  })
  for (const each of processes) table.push(columns.map(({ cell }) => cell(each, processes)))
  const remarks = processes.flatMap((each) => [describePace(each), describeWaiting(each, processes)].filter((text) => text !== '')
    .map((text) => `${each.hospital.name} ${text}`))
  return [table.toString(), ...remarks].join('\n')
}
