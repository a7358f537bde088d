import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fetchControl } from '../../../src/node/control/client.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import { logged } from '../cli.ts'

export const PATIENCE_MS = 240_000
export const POLL_MS = 100

export const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/membership/${name}.js`, import.meta.url))

/** One daemon with the trainer that only adds, as a process. */
export class SiteProcess {
  readonly name: string
  readonly home: string
  log = ''
  #child: ChildProcess | undefined

  constructor (name: string, home: string) {
    this.name = name
    this.home = home
  }

  start (manners: object = { delayMs: 500 }): void {
    const child = spawn(process.execPath, [fixture('site'), this.home, this.name, JSON.stringify(manners)], {
      stdio: ['ignore', 'ignore', 'pipe']
    })
    child.stderr.on('data', (chunk: Buffer) => {
      this.log += chunk.toString()
    })
    this.#child = child
  }

  get pid (): number {
    return this.#child?.pid ?? 0
  }

  get messages (): string[] {
    return logged(this.log)
  }

  async status (): Promise<SiteStatus | undefined> {
    return await fetchControl<SiteStatus>(this.home, '/status').catch(() => undefined)
  }

  async until (what: string, holds: (status: SiteStatus) => boolean, ms = PATIENCE_MS): Promise<SiteStatus> {
    const end = Date.now() + ms
    while (Date.now() < end) {
      const status = await this.status()
      if (status != null && holds(status)) return status
      await sleep(POLL_MS)
    }
    throw new Error(`${this.name}: waited in vain until ${what}\n${this.log.slice(-2_000)}`)
  }

  async untilLogged (pattern: RegExp): Promise<void> {
    const end = Date.now() + PATIENCE_MS
    while (!this.messages.some((message) => pattern.test(message))) {
      if (Date.now() > end) throw new Error(`${this.name} never said ${pattern.source}\n${this.log.slice(-2_000)}`)
      await sleep(POLL_MS)
    }
  }

  async end (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child == null || child.exitCode != null || child.signalCode != null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  /** Resolves once the process has ended by itself. */
  async exited (ms: number): Promise<void> {
    const child = this.#child!
    if (child.exitCode == null) await once(child, 'exit', { signal: AbortSignal.timeout(ms) })
  }
}
