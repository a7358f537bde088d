import { doublingMs } from '../../common/doubling.ts'
import { messageOf } from '../../common/message-of.ts'
import type { Notices, Standing } from '../../rounds/notices.ts'
import { TOLD_KINDS, WARNING_KINDS, type WarningKind } from '../../rounds/warning-kinds.ts'

/** What is sent. Of fixed words, a peer id and the site's own name alone: no path, file or patient can be in it. */
export interface Notification {
  readonly site: string
  readonly peerId: string
  readonly kind: WarningKind
  readonly state: 'begins' | 'ends'
  /** What kind of condition this is. */
  readonly sentence: string
  /** Another site that it is about. */
  readonly about?: string
  /** ISO 8601. */
  readonly at: string
}

export interface NotifierInit {
  readonly site: { readonly name: string, readonly peerId: string, readonly notices: Pick<Notices, 'conditions' | 'warn' | 'over'> }
  /** Rejects with a reason that names no secret. */
  readonly send: (notification: Notification) => Promise<void>
  /** For how long a site must be alone before that is sent, milliseconds. */
  readonly aloneMs: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

type Told = Pick<Notification, 'kind' | 'sentence' | 'about'>

const EVERY_MS = 10_000
const RETRY = { firstMs: 60_000, lastMs: 3_600_000 }
const PEER = /\b12D3KooW[1-9A-HJ-NP-Za-km-z]{44}\b/

/** Sends each condition that a person must hear of when it begins and when it ends; what could not be sent is tried again. */
export class Notifier {
  readonly #init: NotifierInit
  readonly #told = new Map<string, Told>()
  #failures = 0
  #retryAt = -Infinity
  #checking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor (init: NotifierInit) {
    this.#init = init
  }

  start (): void {
    this.#timer = setInterval(() => { this.#checking ??= this.check().finally(() => { this.#checking = undefined }) }, EVERY_MS).unref()
  }

  async stop (): Promise<void> {
    clearInterval(this.#timer)
    await this.#checking
  }

  async check (): Promise<void> {
    if (this.#init.now() < this.#retryAt) return
    const holding = this.#holding()
    for (const [key, told] of holding) if (!this.#told.has(key) && await this.#tell(told, 'begins')) this.#told.set(key, told)
    for (const [key, told] of this.#told) if (!holding.has(key) && await this.#tell(told, 'ends')) this.#told.delete(key)
  }

  /** One of a kind and a site. */
  #holding (): Map<string, Told> {
    const { site: { notices }, aloneMs } = this.#init
    const told = notices.conditions.filter(({ kind, forMs }) => kind !== 'alone' || forMs >= aloneMs).map(toldOf)
    return new Map(told.flatMap((each) => each == null ? [] : [[`${each.kind} ${each.about ?? ''}`, each]]))
  }

  /** True when it was sent; after a failure nothing is sent for a while. */
  async #tell (told: Told, state: Notification['state']): Promise<boolean> {
    const { site: { name, peerId, notices }, send, now } = this.#init
    if (now() < this.#retryAt) return false
    try {
      await send({ site: name, peerId, ...told, state, at: new Date(now()).toISOString() })
      this.#failures = 0
      notices.over('notify', 'notices are sent again')
      return true
    } catch (error) {
      this.#retryAt = now() + doublingMs(RETRY, this.#failures++)
      notices.warn(
        'notify',
        `a notice could not be sent (${messageOf(error)}): mend the setting notify, or what it names; it is tried again`
      )
      return false
    }
  }
}

function toldOf ({ key, kind }: Standing): Told | undefined {
  if (kind == null || !TOLD_KINDS.has(kind)) return undefined
  const about = PEER.exec(key)?.[0]
  return { kind, sentence: WARNING_KINDS[kind].means, ...(about == null ? {} : { about }) }
}
