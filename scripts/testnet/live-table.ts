import Table from 'cli-table3'
import { createLogUpdate } from 'log-update'
import type { SiteStatus } from '../../src/node/control/status.ts'
import { describeBytes, describePhase, partnerName } from './describe.ts'
import type { Display } from './display.ts'
import type { HospitalProcess } from './hospital-process.ts'

/** One table that is drawn over itself. */
export class LiveTable implements Display {
  readonly #draw: ReturnType<typeof createLogUpdate>
  readonly #clock: () => string

  constructor (stream: NodeJS.WriteStream, clock: () => string) {
    this.#draw = createLogUpdate(stream)
    this.#clock = clock
  }

  update (processes: readonly HospitalProcess[]): void {
    this.#draw(`${this.#clock()}\n${drawTable(processes)}`)
  }

  note (text: string): void {
    this.#draw.persist(`${this.#clock()} ${text}`)
  }

  done (): void {
    this.#draw.done()
  }
}

function drawTable (processes: readonly HospitalProcess[]): string {
  const table = new Table({ head: ['site', 'phase', 'partner', 'round', 'global', 'personal', 'distance', 'sent', 'received'], style: { head: [], border: ['grey'] } })
  for (const each of processes) {
    const partner = each.isOver ? '' : partnerName(processes, each.status?.partner)
    table.push([each.hospital.name, describePhase(each, true).padEnd(26), partner, ...figures(each.status)])
  }
  return table.toString()
}

function figures (status: SiteStatus | undefined): string[] {
  if (status == null) return ['', '', '', '', '', '']
  const { round, rounds, dice, consensus, bytesSent, bytesReceived } = status
  return [
    `${round}/${rounds}`,
    dice?.global.toFixed(3) ?? '',
    dice?.personal.toFixed(3) ?? '',
    consensus?.toFixed(4) ?? '',
    describeBytes(bytesSent),
    describeBytes(bytesReceived)
  ]
}
