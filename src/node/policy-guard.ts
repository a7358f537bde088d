import { z } from 'zod'
import { parseJson } from '../common/parse-json.ts'
import { CorruptFileError } from '../errors.ts'
import { readChecked, writeCheckedJson } from '../home/checksum.ts'
import type { Averager } from '../gossip-aggregation/averager.ts'
import type { RoundRecord } from '../home/metrics-log.ts'
import type { Clock } from '../rounds/clock.ts'
import type { Notices } from '../rounds/notices.ts'
import type { Policy } from '../settings/site/policy.ts'

const EVERY_MS = 1_000
const MINUTE_MS = 60_000
const usage = z.strictObject({ day: z.string(), bytesSent: z.number().min(0) })

export interface PolicyGuardInit {
  readonly policy: Policy
  /** File in which the bytes of the day outlive a restart. */
  readonly file: string
  readonly notices: Pick<Notices, 'warn' | 'over' | 'event'>
  readonly clock: Clock
  /** Members connected now; any number for a site that trains alone. */
  readonly connected: () => number
  /** Of finished rounds: they say what was sent where the file is lost. */
  readonly finished: readonly Pick<RoundRecord, 't' | 'bytesSent'>[]
}

/** Holds a running site to what its policy says beyond the document: bytes, partners, hours. */
export class PolicyGuard {
  readonly #init: PolicyGuardInit
  #day = ''
  #sent = 0
  #averager: Pick<Averager, 'withheld'> | undefined
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor (init: PolicyGuardInit) {
    this.#init = init
  }

  /** From now on this averager exchanges only where the policy lets it. */
  async guard (averager: Pick<Averager, 'withheld'>): Promise<void> {
    const { file, finished, clock, notices } = this.#init
    this.#averager = averager
    const text = await readChecked(file).catch((error: unknown) => {
      if (!(error instanceof CorruptFileError)) throw error
      return ''
    })
    const kept = usage.safeParse(parseJson(text ?? '')).data
    if (text != null && kept == null) notices.event(`${file} is damaged: the bytes of today are those of finished rounds`)
    this.#day = dayOf(clock.now())
    const inRounds = finished.filter(({ t }) => dayOf(Date.parse(t)) === this.#day).reduce((sum, { bytesSent }) => sum + bytesSent, 0)
    this.#sent = Math.max(this.#sent, inRounds, kept?.day === this.#day ? kept.bytesSent : 0)
    this.look()
    this.#timer = setInterval(() => { this.look() }, EVERY_MS)
  }

  async stop (): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
  }

  /** So many bytes left in an exchange, whatever became of it. */
  sent (bytes: number): void {
    if (this.#init.policy.bytesPerDay == null) return
    this.#turnDay()
    this.#sent += bytes
    const today = { day: this.#day, bytesSent: this.#sent }
    this.#writing = this.#writing.then(async () => { await writeCheckedJson(this.#init.file, today) }).catch(
      () => { /* the next exchange writes it, too */ }
    )
    this.look()
  }

  /** Allows or withholds exchanges, and says so. */
  look (): void {
    const { policy: { bytesPerDay = Infinity, partners = 0 }, notices, connected } = this.#init
    this.#turnDay()
    const isSpent = this.#sent >= bytesPerDay
    const isAlone = connected() < partners
    if (isSpent) {
      notices.warn('policy bytes', `exchanges pause until midnight (UTC): ${bytesPerDay} bytes a day are what policy.json allows`)
    } else notices.over('policy bytes', 'a new day has begun: exchanges go on')
    if (isAlone) {
      notices.warn('policy partners', `exchanges pause: policy.json asks for ${partners} other members, and ${connected()} are connected`, {
        isNews: true
      })
    } else notices.over('policy partners', 'enough members are connected for exchanges by policy.json')
    if (this.#averager != null) this.#averager.withheld = isSpent || isAlone
  }

  /** Returns once a phase of training may begin. */
  readonly mayTrain = async (signal: AbortSignal): Promise<void> => {
    const { policy: { hours }, notices, clock } = this.#init
    if (hours == null) return
    for (let now = clock.now(); !isWithin(hours, now); now = clock.now()) {
      notices.warn('policy hours', `training pauses: policy.json lets phases begin from ${hours.from} to ${hours.to}; exchanges go on`)
      await clock.sleep(MINUTE_MS - now % MINUTE_MS, signal)
    }
    notices.over('policy hours', 'training goes on, within the hours of policy.json')
  }

  #turnDay (): void {
    const day = dayOf(this.#init.clock.now())
    if (day === this.#day) return
    this.#day = day
    this.#sent = 0
  }
}

function dayOf (ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** By the clock of this machine; a time that ends before it begins goes over midnight. */
function isWithin ({ from, to }: NonNullable<Policy['hours']>, ms: number): boolean {
  const date = new Date(ms)
  const now = `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`
  return from < to ? now >= from && now < to : now >= from || now < to
}
