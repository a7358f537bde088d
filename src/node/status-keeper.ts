import { messageOf } from '../common/message-of.ts'
import { writeCheckedJson } from '../home/checksum.ts'
import type { Logger } from '../rounds/logger.ts'
import type { PeerView, SiteStatus } from '../rounds/status.ts'

const EVERY_MS = 60_000

interface StatusKeeperInit {
  readonly file: string
  readonly status: () => SiteStatus
  readonly peers: () => PeerView[]
  readonly logger: Pick<Logger, 'debug'>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Writes down each minute what the site would answer, for whoever asks when it has stopped. */
export class StatusKeeper {
  readonly #init: StatusKeeperInit
  #timer: NodeJS.Timeout | undefined
  #writing = Promise.resolve()

  constructor (init: StatusKeeperInit) {
    this.#init = init
  }

  start (): void {
    this.#timer = setInterval(() => { this.#keep() }, EVERY_MS).unref()
  }

  /** With what holds at the end. */
  async stop (): Promise<void> {
    clearInterval(this.#timer)
    this.#keep()
    await this.#writing
  }

  /** One write after the other; that a disk refuses is said by those whose files matter. */
  #keep (): void {
    const { file, status, peers, now, logger } = this.#init
    const value = { at: new Date(now()).toISOString(), status: status(), peers: peers() }
    this.#writing = this.#writing.then(async () => { await writeCheckedJson(file, value) }).catch((error: unknown) => {
      logger.debug(`what status says could not be kept: ${messageOf(error)}`)
    })
  }
}
