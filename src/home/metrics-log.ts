import { parseJson } from '../common/parse-json.ts'
import type { Steps } from '../gossip-aggregation/unmixed.ts'
import { readIfThere, writeFileSafely } from './files.ts'

/** Mean over a site's validation images, 0 to 1: of the base alone, with the global adapter, and with the site's experts beside it. */
export interface Dice {
  readonly frozen: number
  readonly global: number
  readonly personal: number
}

/** What a site's model scores: the mean over the classes that the site annotates, and where the federation names classes each of them. */
export interface Scores {
  readonly dice: Dice
  readonly classes?: Readonly<Record<string, Dice>>
}

/** One finished round. */
export interface RoundRecord extends Scores {
  readonly t: number
  readonly round: number
  /** Null when the phase was done before a restart. */
  readonly lossG: number | null
  readonly lossL: number | null
  readonly exchanges: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly consensus?: number
  /** At its end, since the start of all training; none of software before 0.2.0. */
  readonly steps?: Steps
  /** Part of the round's steps that this site trained, above 0 to 1. */
  readonly pace?: number
}

/** metrics.jsonl: one JSON line per finished round. */
export class MetricsLog {
  readonly #path: string
  readonly #records: RoundRecord[]

  private constructor (path: string, records: RoundRecord[]) {
    this.#path = path
    this.#records = records
  }

  static async open (path: string): Promise<MetricsLog> {
    const text = (await readIfThere(path))?.toString('utf8') ?? ''
    return new MetricsLog(path, text.split('\n').flatMap(parseLine))
  }

  /** Oldest first. */
  get records (): readonly RoundRecord[] {
    return this.#records
  }

  get finishedRounds (): number {
    return this.#records.at(-1)?.round ?? 0
  }

  async append (record: RoundRecord): Promise<void> {
    this.#records.push(record)
    await writeFileSafely(this.#path, this.#records.map((each) => JSON.stringify(each) + '\n').join(''))
  }
}

function parseLine (line: string): RoundRecord[] {
  const record = parseJson(line) as RoundRecord | null | undefined
  return Number.isSafeInteger(record?.round) ? [record!] : []
}
