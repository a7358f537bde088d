import { fork, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { setPriority } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AbortOptions } from '@libp2p/interface'
import { InputError, TrainerError } from '../../errors.ts'
import type { CallName, TrainerCalls, TrainerMessage, TrainerReady, TrainerSetup } from './messages.ts'

const FIRST_BACK_OFF_MS = 1_000
const LAST_BACK_OFF_MS = 60_000
const STOP_MS = 5_000

interface Pending {
  readonly resolve: (reply: never) => void
  readonly reject: (error: Error) => void
}

interface TrainerEvents {
  progress: [{ step: number, steps: number }]
  restarting: [{ reason: string, delayMs: number }]
  ready: [TrainerReady]
}

/**
 * The child process that alone loads the tensor library. A call that dies with the process rejects with TrainerError;
 * the process itself is started again with back-off, and `call` waits for it.
 */
export class TrainerProcess extends EventEmitter<TrainerEvents> {
  readonly #setup: TrainerSetup
  readonly #nice: number
  readonly #pending = new Map<number, Pending>()
  #child: ChildProcess | undefined
  #ready: Promise<TrainerReady> | undefined
  #nextId = 1
  #backOffMs = FIRST_BACK_OFF_MS
  #retry: NodeJS.Timeout | undefined
  #stopped = false

  constructor (setup: TrainerSetup, nice: number) {
    super()
    this.#setup = setup
    this.#nice = nice
  }

  get pid (): number | undefined {
    return this.#child?.pid
  }

  /** Starts the process and loads weights and data. @throws InputError for what the user must mend. */
  async start (): Promise<TrainerReady> {
    this.#ready ??= this.#launch()
    return await this.#ready
  }

  async call<N extends Exclude<CallName, 'setup'>> (name: N, request: TrainerCalls[N]['request'], options: AbortOptions = {}): Promise<TrainerCalls[N]['reply']> {
    await this.start()
    options.signal?.throwIfAborted()
    const reply = await this.#send(name, request)
    this.#backOffMs = FIRST_BACK_OFF_MS
    return reply
  }

  async stop (): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry)
    const child = this.#child
    if (child == null || child.exitCode != null || child.signalCode != null) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await exited
    clearTimeout(force)
  }

  async #launch (): Promise<TrainerReady> {
    const entry = fileURLToPath(new URL(`./main${extname(import.meta.filename)}`, import.meta.url))
    const child = fork(entry, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#child = child
    child.on('message', (message: TrainerMessage) => { this.#receive(message) })
    child.on('error', () => { /* 'exit' follows or the send below rejects */ })
    child.once('exit', (code, signal) => { this.#ended(child, signal ?? `exit code ${code ?? 'unknown'}`) })
    if (child.pid != null && this.#nice > 0) setPriority(child.pid, this.#nice)
    const ready = await this.#send('setup', this.#setup)
    this.emit('ready', ready)
    return ready
  }

  async #send<N extends CallName> (call: N, request: TrainerCalls[N]['request']): Promise<TrainerCalls[N]['reply']> {
    const child = this.#child
    if (child == null || !child.connected) throw new TrainerError('the trainer process is not running')
    const id = this.#nextId++
    return await new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      child.send({ id, call, request }, (error) => {
        if (error == null) return
        this.#pending.delete(id)
        reject(new TrainerError(`the trainer process could not be reached: ${error.message}`))
      })
    })
  }

  #receive (message: TrainerMessage): void {
    if (message.kind === 'progress') {
      this.emit('progress', message)
      return
    }
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if (message.kind === 'reply') pending?.resolve(message.reply as never)
    else pending?.reject(message.fault.userFault ? new InputError(message.fault.message) : new TrainerError(message.fault.message))
  }

  #ended (child: ChildProcess, reason: string): void {
    if (child !== this.#child) return
    this.#child = undefined
    for (const { reject } of this.#pending.values()) reject(new TrainerError(`the trainer process ended (${reason})`))
    this.#pending.clear()
    if (this.#stopped) return
    this.emit('restarting', { reason, delayMs: this.#backOffMs })
    this.#ready = this.#relaunchAfter(this.#backOffMs)
    this.#ready.catch(() => { /* whoever calls next sees it */ })
    this.#backOffMs = Math.min(2 * this.#backOffMs, LAST_BACK_OFF_MS)
  }

  async #relaunchAfter (delayMs: number): Promise<TrainerReady> {
    await new Promise<void>((resolve) => { this.#retry = setTimeout(resolve, delayMs) })
    return await this.#launch()
  }
}
