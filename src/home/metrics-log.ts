import { parseJson } from '../common/parse-json.ts'
import { CorruptFileError } from '../errors.ts'
import type { SiteParts } from '../gossip-aggregation/mixing/generalisation.ts'
import type { Steps } from '../gossip-aggregation/unmixed.ts'
import type { Serves } from '../settings/method.ts'
import { checkedText, uncheckedText } from './checksum.ts'
import { readIfThere, writeFileSafely } from './files.ts'

/** Mean over a site's validation images, 0 to 1: of the base alone, with the global adapter, and of what the site serves. */
export interface Dice {
  readonly frozen: number
  readonly global: number
  readonly personal: number
  /** What the site would have without the others; only where the method trains that, too. */
  readonly alone?: number | undefined
  /** What the site serves, once it has chosen. */
  readonly serves?: Serves | undefined
}

/** 95 % intervals of Dice, over patients drawn anew; 0 to 1. */
export type DiceIntervals = Readonly<Record<'frozen' | 'global' | 'personal', readonly [low: number, high: number]>>

/** What a site's model scores: the mean over the classes that the site annotates, and where the federation names classes each of them. */
export interface Scores {
  readonly dice: Dice
  readonly classes?: Readonly<Record<string, Dice>>
  /** Of `dice`, over patients; absent where these are fewer than five. */
  readonly intervals?: DiceIntervals | undefined
}

/** One finished round; of a site without labels one that it read, without scores. */
export interface RoundRecord extends Partial<Scores> {
  /** Its end, ISO 8601, UTC. */
  readonly t: string
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
  /** It looked at no label. */
  readonly labelFree?: true
  /** How far apart images were to the model after it, 0 to 1; of such rounds alone. */
  readonly spread?: number
  /** By how much it scaled what it trained, 1/4 to 4; where the method does. */
  readonly landing?: number
  /** Which part each site had then in what all learn, `self` this one; where the method has parts. */
  readonly parts?: SiteParts
}

/** metrics.jsonl: one JSON line per finished round. */
export class MetricsLog {
  readonly #path: string
  readonly #records: RoundRecord[]
  #finished: number
  /** What could not be read, in plain sentences. */
  readonly warnings: string[] = []

  private constructor (path: string, records: RoundRecord[]) {
    this.#path = path
    this.#records = records
    this.#finished = records.at(-1)?.round ?? 0
  }

  static async open (path: string): Promise<MetricsLog> {
    const lines = ((await readIfThere(path))?.toString('utf8') ?? '').split('\n').filter((line) => line !== '')
    const records = lines.map(parseLine)
    const log = new MetricsLog(path, records.filter((each) => each != null))
    const damaged = records.filter((each) => each == null).length
    if (damaged > 0) {
      log.warnings.push(
        `${path} has ${damaged === 1 ? 'a damaged line' : `${damaged} damaged lines`}: the numbers of those rounds are lost, and ` +
          'nothing else'
      )
    }
    return log
  }

  /** Oldest first. */
  get records (): readonly RoundRecord[] {
    return this.#records
  }

  get finishedRounds (): number {
    return this.#finished
  }

  /** What the checkpoint says of finished rounds counts, too: this log may have been lost. */
  goOnAfter (round: number): void {
    if (round <= this.#finished) return
    const lacks = round === this.#finished + 1 ? `round ${round}` : `rounds ${this.#finished + 1} to ${round}`
    this.warnings.push(
      `${this.#path} lacks ${lacks}, which the adapter says are finished: their numbers are lost, and training goes on after them`
    )
    this.#finished = round
  }

  async append (record: RoundRecord): Promise<void> {
    this.#records.push(record)
    this.#finished = record.round
    await writeFileSafely(this.#path, this.#records.map((each) => checkedText(JSON.stringify(each)) + '\n').join(''))
  }
}

function parseLine (line: string): RoundRecord | undefined {
  try {
    const record = parseJson(uncheckedText(line)) as RoundRecord & { t: unknown } | null | undefined
    if (record == null || !Number.isSafeInteger(record.round)) return undefined
    // Older software wrote milliseconds.
    return typeof record.t === 'number' ? { ...record, t: new Date(record.t).toISOString() } : record
  } catch (error) {
    if (error instanceof CorruptFileError) return undefined
    throw error
  }
}
