import type { Notices } from '../rounds/notices.ts'

/** A round's adapters, its checkpoint and the ledger fit in many times over. */
const LEAST_BYTES = 1e9
const EVERY_MS = 60_000

export interface DiskWatchInit {
  /** Bytes that are free where the home is; undefined where the system does not say. */
  readonly free: () => Promise<number | undefined>
  readonly notices: Pick<Notices, 'warn' | 'over'>
}

/** Says that space runs out, before something cannot be written. */
export class DiskWatch {
  readonly #init: DiskWatchInit
  #timer: NodeJS.Timeout | undefined

  constructor (init: DiskWatchInit) {
    this.#init = init
  }

  start (): void {
    const check = (): void => { this.check().catch(() => { /* asked again in a minute */ }) }
    check()
    this.#timer = setInterval(check, EVERY_MS).unref()
  }

  stop (): void {
    clearInterval(this.#timer)
  }

  async check (): Promise<void> {
    const { free, notices } = this.#init
    const bytes = await free()
    if (bytes == null) return
    if (bytes >= LEAST_BYTES) notices.over('disk', 'there is space again where the home is')
    else {
      notices.warn('disk', `only ${(bytes / 1e6).toFixed(0)} MB are free where the home is: free disk space, before rounds cannot be saved`)
    }
  }
}
