import { fork, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { setPriority } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '../common/child-environment.ts'
import { doublingMs, type Doubling } from '../common/doubling.ts'
import { fullPrecision } from '../common/full-precision.ts'
import { messageOf } from '../common/message-of.ts'
import { InputError, TrainerError } from '../errors.ts'
import type { CallName, ShortenMessage, TrainerCalls, TrainerMessage, TrainerReady, TrainerSetup } from '../rounds/trainer-messages.ts'
import { withoutNetwork } from './without-network.ts'

const STOP_MS = 5_000

interface Pending {
  readonly resolve: (reply: never) => void
  readonly reject: (error: Error) => void
}

interface TrainerEvents {
  progress: [{ step: number, steps: number }]
  restarting: [{ reason: string, delayMs: number }]
  ready: [TrainerReady]
  /** A piece of work was done, after one death or several. */
  recovered: []
  /** It is not started again. */
  givenUp: [InputError]
}

export interface TrainerInit {
  readonly setup: TrainerSetup
  /** Niceness of the process, 0 to 19. */
  readonly nice: number
  /** Module to run; the real trainer when missing. */
  readonly entry?: string
  readonly backOff?: Doubling
  /** Deaths in a row, without one call done between them, after which it is not started again. */
  readonly mostDeaths?: number
  /** Words that run a command without a network; undefined where there are none. */
  readonly isolate?: () => Promise<readonly string[] | undefined>
}

/**
 * The child process that alone loads the tensor library. When it dies, it is started again with back-off and the call that
 * was under way is repeated; after too many deaths in a row the call rejects with InputError.
 */
export class TrainerProcess extends EventEmitter<TrainerEvents> {
  readonly #init: Required<TrainerInit>
  readonly #pending = new Map<number, Pending>()
  #child: ChildProcess | undefined
  #ready: Promise<TrainerReady> | undefined
  #nextId = 1
  #deaths = 0
  #retry: NodeJS.Timeout | undefined
  #stopped = false
  #isolation: readonly string[] | undefined
  /** What the trainer itself said before it was made to go. */
  #complaint: string | undefined

  constructor (init: TrainerInit) {
    super()
    this.#init = {
      entry: fileURLToPath(new URL(`../site-model/trainer/main${extname(import.meta.filename)}`, import.meta.url)),
      backOff: { firstMs: 1_000, lastMs: 60_000 },
      mostDeaths: 5,
      isolate: withoutNetwork,
      ...init
    }
  }

  get pid (): number | undefined {
    return this.#child?.pid
  }

  /** It runs without any network. */
  get isIsolated (): boolean {
    return this.#isolation != null
  }

  /** Without one call done between them. */
  get deathsInRow (): number {
    return this.#deaths
  }

  /** Starts the process and loads weights and data. @throws InputError for what the user must mend. */
  async start (): Promise<TrainerReady> {
    for (;;) {
      this.#ready ??= this.#launch()
      try {
        return await this.#ready
      } catch (error) {
        if (!this.#mayRepeat(error)) throw error
      }
    }
  }

  /** Repeated until it is done, the user's fault, or the trainer died too often. Rejects at once when the signal aborts. */
  async call<N extends Exclude<CallName, 'setup'>> (
    name: N,
    request: TrainerCalls[N]['request'],
    { signal }: { signal: AbortSignal }
  ): Promise<TrainerCalls[N]['reply']> {
    signal.throwIfAborted()
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => { aborted.reject(signal.reason as Error) }
    signal.addEventListener('abort', onAbort)
    try {
      return await Promise.race([this.#perform(name, request, signal), aborted.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** What is under way trains no more than its least steps. */
  shorten (): void {
    // Whoever died meanwhile has nothing under way.
    if (this.#child?.connected === true) this.#child.send({ shorten: this.#nextId - 1 } satisfies ShortenMessage, () => {})
  }

  async stop (): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry)
    const child = this.#child
    if (child == null) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await exited
    clearTimeout(force)
  }

  async #perform<N extends Exclude<CallName, 'setup'>> (
    name: N,
    request: TrainerCalls[N]['request'],
    signal: AbortSignal
  ): Promise<TrainerCalls[N]['reply']> {
    for (;;) {
      await this.start()
      signal.throwIfAborted()
      try {
        const reply = await this.#send(name, request)
        if (this.#deaths > 0) this.emit('recovered')
        this.#deaths = 0
        return reply
      } catch (error) {
        if (!this.#mayRepeat(error)) throw error
        await this.#endChild(error)
      }
    }
  }

  #mayRepeat (error: unknown): boolean {
    return error instanceof TrainerError && !this.#stopped
  }

  async #launch (): Promise<TrainerReady> {
    this.#isolation ??= await this.#init.isolate()
    if (this.#stopped) throw new TrainerError('the trainer process is stopped')
    const [program = process.execPath, ...before] = [...this.#isolation ?? [], process.execPath]
    const child = fork(this.#init.entry, [], {
      execPath: program,
      execArgv: [...before, ...process.execArgv],
      env: childEnvironment(fullPrecision(process.env)),
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc']
    })
    this.#child = child
    child.on('message', (message: TrainerMessage) => { this.#receive(message) })
    child.on('error', () => { /* 'exit' follows or the send below rejects */ })
    child.once('exit', (code, signal) => { this.#ended(this.#complaint ?? signal ?? `exit code ${code ?? 'unknown'}`) })
    if (child.pid != null && this.#init.nice > 0) setPriority(child.pid, this.#init.nice)
    try {
      const ready = await this.#send('setup', this.#init.setup)
      this.emit('ready', ready)
      return ready
    } catch (error) {
      if (error instanceof InputError) this.#stopped = true
      await this.#endChild(error)
      throw error
    }
  }

  /** A trainer that answered with a failure may be in any state: it goes, and `#ended` sees to the next. */
  async #endChild (error: unknown): Promise<void> {
    const child = this.#child
    if (child == null) return
    this.#complaint = messageOf(error)
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
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

  #ended (reason: string): void {
    this.#child = undefined
    this.#complaint = undefined
    for (const { reject } of this.#pending.values()) reject(new TrainerError(`the trainer process ended (${reason})`))
    this.#pending.clear()
    if (this.#stopped) return
    const delayMs = doublingMs(this.#init.backOff, this.#deaths++)
    if (this.#deaths >= this.#init.mostDeaths) {
      const end = new InputError(
        `the trainer process ended ${this.#deaths} times in a row (${reason}): check memory, the compute engine and the data, then ` +
          'start the daemon again'
      )
      this.emit('givenUp', end)
      this.#ready = Promise.reject(end)
    } else {
      this.emit('restarting', { reason, delayMs })
      this.#ready = this.#relaunchAfter(delayMs)
    }
    this.#ready.catch(() => { /* whoever calls next sees it */ })
  }

  async #relaunchAfter (delayMs: number): Promise<TrainerReady> {
    await new Promise<void>((resolve) => { this.#retry = setTimeout(resolve, delayMs) })
    return await this.#launch()
  }
}
