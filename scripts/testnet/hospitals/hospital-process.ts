import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { fetchControl } from '../../../src/node/control/client.ts'
import { FAULTS_VARIABLE, type TestFaultsInput } from '../../../src/node/test-faults/settings.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import { childPids, isAlive, killGroup, type Children } from './children.ts'
import type { Hospital } from './hospitals.ts'

export type RunState = 'starting' | 'running' | 'stopping' | 'finished' | 'failed' | 'killed'

const TRAINER_GONE_MS = 10_000
const STOP_MS = 20_000

/** The daemon of one hospital: `consilium start` as a process of its own, on loopback, with one trainer thread. */
export class HospitalProcess {
  readonly hospital: Hospital
  readonly #children: Children
  readonly #flags: readonly string[]
  #child: ChildProcess | undefined
  #state: RunState = 'starting'
  #status: SiteStatus | undefined
  exitCode: number | null = null
  signal: string | null = null
  restarts = 0
  /** What the daemon has to suffer from its next start on. */
  faults: TestFaultsInput | undefined
  /** Set when a trainer outlived its killed daemon. */
  orphaned = false

  constructor (children: Children, hospital: Hospital, flags: readonly string[] = []) {
    this.#children = children
    this.hospital = hospital
    this.#flags = flags
  }

  get state (): RunState {
    return this.#state
  }

  /** The last thing the daemon said about itself. */
  get status (): SiteStatus | undefined {
    return this.#status
  }

  get isOver (): boolean {
    return this.#state === 'finished' || this.#state === 'failed' || this.#state === 'killed'
  }

  start (): void {
    const { home, data, name, log } = this.hospital
    this.#state = 'starting'
    this.exitCode = null
    this.signal = null
    const child = this.#children.spawnCli([
      'start', '--home', home, '--data', data, '--name', name,
      '--listen', '/ip4/127.0.0.1/tcp/0', '--control-port', '0', '--threads', '1', '--nice', '10', ...this.#flags
    ], { log, ...(this.faults == null ? {} : { env: { [FAULTS_VARIABLE]: JSON.stringify(this.faults) } }) })
    this.#child = child
    child.once('exit', (code, signal) => {
      this.exitCode = code
      this.signal = signal
      if (this.#state !== 'stopping') this.#state = code === 0 ? 'finished' : 'failed'
    })
  }

  /** Asks the daemon; keeps the last answer while it does not give one. */
  async poll (): Promise<void> {
    if (this.isOver || this.#state === 'stopping') return
    const status = await fetchControl<SiteStatus>(this.hospital.home, '/status').catch(() => undefined)
    if (status == null) return
    this.#status = status
    if (this.#state === 'starting') this.#state = 'running'
  }

  /** SIGKILL of the daemon alone; its trainer has to notice and go by itself. */
  async kill (): Promise<void> {
    await this.#end('SIGKILL')
    this.#state = 'killed'
  }

  async restart (): Promise<void> {
    await this.#end('SIGKILL')
    this.restarts++
    this.start()
  }

  /** Asks the daemon to stop and forces it after a while. */
  async stop (): Promise<void> {
    if (this.isOver || this.#child == null) return
    const force = setTimeout(() => { killGroup(this.#child?.pid ?? 0) }, STOP_MS)
    await this.#end('SIGTERM')
    clearTimeout(force)
    this.#state = 'failed'
  }

  /** The daemon's own last sentence, where it ended with one. */
  async lastWords (): Promise<string> {
    const text = await readFile(this.hospital.log, 'utf8').catch(() => '')
    return text.split('\n').findLast((line) => line.startsWith('consilium: '))?.slice('consilium: '.length) ?? `see ${this.hospital.log}`
  }

  async #end (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#state = 'stopping'
    const child = this.#child
    if (child?.pid == null || child.exitCode != null || child.signalCode != null) return
    const trainers = await childPids(child.pid)
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
    if (await allGone(trainers)) return
    this.orphaned = true
    killGroup(child.pid)
  }
}

async function allGone (pids: readonly number[]): Promise<boolean> {
  const until = Date.now() + TRAINER_GONE_MS
  for (;;) {
    const alive = await Promise.all(pids.map(isAlive))
    if (!alive.includes(true)) return true
    if (Date.now() > until) return false
    await delay(50)
  }
}
