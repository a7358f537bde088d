import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Logger } from '../rounds/logger.ts'

const EVERY_MS = 30_000
const LIMIT_MS = 10_000

/**
 * Says to systemd that the site is there, what it does, that its event loop turns, and that it stops (sd_notify). Through the program
 * systemd-notify, since Node has no datagram sockets of Unix; does nothing where no systemd asks.
 */
export class SystemNotify {
  readonly #env: NodeJS.ProcessEnv
  readonly #logger: Pick<Logger, 'warn'>
  #timer: NodeJS.Timeout | undefined
  #isWarned = false

  constructor (env: NodeJS.ProcessEnv, logger: Pick<Logger, 'warn'>) {
    this.#env = env
    this.#logger = logger
  }

  /** From here on systemd hears that the event loop turns, as often as it asks for. */
  async ready (state: () => string): Promise<void> {
    if (!this.#isAsked) return
    const beat = ['WATCHDOG=1']
    this.#timer = setInterval(() => {
      this.#say(statusLine(state()), ...beat).catch(() => { /* it never rejects */ })
    }, this.#everyMs).unref()
    await this.#say('READY=1', statusLine(state()), ...beat)
  }

  async stopping (): Promise<void> {
    clearInterval(this.#timer)
    await this.#say('STOPPING=1')
  }

  get #isAsked (): boolean {
    return this.#env['NOTIFY_SOCKET'] != null
  }

  /** Half of the time after which systemd gives a site up. */
  get #everyMs (): number {
    const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = this.#env
    return usec == null || (pid != null && pid !== String(process.pid)) ? EVERY_MS : Math.min(EVERY_MS, Number(usec) / 2_000)
  }

  async #say (...assignments: string[]): Promise<void> {
    if (!this.#isAsked) return
    try {
      await promisify(execFile)('systemd-notify', assignments, { env: this.#env, timeout: LIMIT_MS })
    } catch (error) {
      const { code = 'failed' } = error as NodeJS.ErrnoException
      if (!this.#isWarned) this.#logger.warn(`systemd could not be told (systemd-notify: ${code}): install it, or start with Type=exec`)
      this.#isWarned = true
    }
  }
}

function statusLine (state: string): string {
  return `STATUS=${state.replaceAll(/\s+/g, ' ')}`
}
