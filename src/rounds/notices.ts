import { LRUCache } from 'lru-cache'
import { RateLimit } from '../common/rate-limit.ts'
import type { Logger } from './logger.ts'
import { warningKind, type WarningKind } from './warning-kinds.ts'

const MOST = 100
// Whoever can cause a notice cannot fill the log with them.
const SPOKEN = { perSecond: 1, burst: 50 }

interface Notice {
  message: string
  /** Whether it went to the log. */
  isSpoken: boolean
}

interface Condition {
  readonly message: string
  /** Of `now`: when it began. */
  readonly since: number
  /** Of `now`; for ever where only `over` ends it. */
  readonly until: number
}

/** A condition that holds. */
export interface Standing {
  readonly key: string
  readonly kind: WarningKind | undefined
  readonly message: string
  /** Milliseconds since it began. */
  readonly forMs: number
}

/** How a condition is raised. */
interface Raised {
  /** Other words under a key that stands go to the log too. */
  readonly isNews?: boolean
  /** Milliseconds for which it holds if it is not raised again: for what is seen when it happens, and not when it ends. */
  readonly forMs?: number
}

/** For which time it is shown that somebody else did something, when nothing tells that it is over. */
export const LAPSE_MS = { minutes: 600_000, hour: 3_600_000, day: 86_400_000 } as const

/**
 * What a person should know. A condition holds from `warn` to `over`, and status shows those that hold; an event is over when it is said.
 * Both go to the log once, and the summary has the last hundred.
 */
export class Notices {
  readonly #logger: Logger
  readonly #now: () => number
  readonly #said = new LRUCache<string, Notice>({ max: MOST })
  readonly #conditions = new Map<string, Condition>()
  readonly #spoken: RateLimit

  constructor (logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger
    this.#now = now
    this.#spoken = new RateLimit({ ...SPOKEN, now })
  }

  /**
   * A condition holds: one plain sentence, once per `key`, of which a later one takes the place in the list without a line in the log,
   * unless `isNews`: no file names, patient ids or numbers of private tensors.
   */
  warn (key: string, message: string, { isNews = false, forMs = Infinity }: Raised = {}): void {
    this.#lapse(key)
    const held = this.#conditions.get(key)
    this.#hold(key, { message, since: held?.since ?? this.#now(), until: this.#now() + forMs })
    const said = this.#said.peek(key)
    const notice = said ?? { message, isSpoken: false }
    notice.message = message
    if (said == null) this.#said.set(key, notice)
    else if (held != null && !isNews) return
    if (this.#spoken.take('') !== 0) return
    notice.isSpoken = true
    this.#logger.warn(message)
  }

  /** Something happened, and is over: one plain sentence, each once. */
  event (message: string): void {
    if (this.#said.peek(message) != null) return
    const isSpoken = this.#spoken.take('') === 0
    this.#said.set(message, { message, isSpoken })
    if (isSpoken) this.#logger.warn(message)
  }

  /** The condition does not hold any more, and `warn` speaks again under this key; what it said stays in the list. */
  over (key: string, message: string): void {
    this.#conditions.delete(key)
    const said = this.#said.peek(key)
    if (said == null) return
    const isGranted = this.#spoken.take('') === 0
    // Whoever read that it began reads that it ended: at most one line more for each that was granted.
    if (isGranted || said.isSpoken) this.#logger.info(message)
    this.#said.delete(key)
    this.#said.set(`over ${key}`, said)
  }

  /** The same for every key that begins like this, where any holds. */
  overAll (beginning: string, message: string): void {
    for (const key of [...this.#conditions.keys()].filter((each) => each.startsWith(beginning))) this.over(key, message)
  }

  /** What was said since the start. */
  get list (): string[] {
    return [...new Set([...this.#said.rvalues()].map((each) => each?.message))].filter((each) => each != null)
  }

  /** What holds now, in words. */
  get standing (): string[] {
    return [...new Set(this.conditions.map(({ message }) => message))]
  }

  /** What holds now, oldest first. */
  get conditions (): Standing[] {
    for (const key of this.#conditions.keys()) this.#lapse(key)
    const now = this.#now()
    return [...this.#conditions].map(([key, { message, since }]) => ({ key, kind: warningKind(key), message, forMs: now - since }))
  }

  #lapse (key: string): void {
    const condition = this.#conditions.get(key)
    if (condition != null && condition.until <= this.#now()) this.#conditions.delete(key)
  }

  /** Of more than MOST those go first that lapse: strangers can cause any number. */
  #hold (key: string, condition: Condition): void {
    this.#conditions.set(key, condition)
    if (this.#conditions.size <= MOST) return
    const [first] = [...this.#conditions].filter(([, { until }]) => until < Infinity)
    this.#conditions.delete(first?.[0] ?? this.#conditions.keys().next().value!)
  }
}
