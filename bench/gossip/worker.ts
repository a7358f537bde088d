import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Calls, ReplyMessage, SiteCalls } from './messages.ts'

const LEAVE_MS = 5_000

/** One process of the bench: a site's, or one that holds a bare stream. */
export class Worker<C extends Calls<C> = SiteCalls> {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, { resolve: (reply: never) => void, reject: (error: Error) => void }>()
  #nextId = 1

  /** What goes wrong with an exchange is said on stderr unless it is to be `quiet`. */
  constructor ({ quiet = false, entry = 'site-worker' }: { quiet?: boolean, entry?: 'site-worker' | 'bare-worker' } = {}) {
    this.#child = fork(fileURLToPath(new URL(`./${entry}${extname(import.meta.filename)}`, import.meta.url)), [], {
      stdio: ['ignore', 'inherit', quiet ? 'ignore' : 'inherit', 'ipc']
    })
    this.#child.on('message', (message: ReplyMessage) => {
      const pending = this.#pending.get(message.id)
      this.#pending.delete(message.id)
      if ('failure' in message) pending?.reject(new Error(message.failure))
      else pending?.resolve(message.reply as never)
    })
    this.#child.once('exit', (code, signal) => {
      for (const { reject } of this.#pending.values()) reject(new Error(`a worker ended (${signal ?? code})`))
    })
  }

  async call<N extends string & keyof C> (call: N, request: C[N]['request']): Promise<C[N]['reply']> {
    const id = this.#nextId++
    return await new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#child.send({ id, call, request }, (error) => { if (error != null) reject(error) })
    })
  }

  /** SIGKILL. */
  async kill (): Promise<void> {
    await this.#end(() => { this.#child.kill('SIGKILL') })
  }

  /** Resolves when the process has ended by itself. */
  async ended (): Promise<void> {
    await this.#end(() => {})
  }

  /** It ends by itself when nobody listens any more. */
  async stop (): Promise<void> {
    const force = setTimeout(() => { this.#child.kill('SIGKILL') }, LEAVE_MS)
    await this.#end(() => { if (this.#child.connected) this.#child.disconnect() })
    clearTimeout(force)
  }

  async #end (how: () => void): Promise<void> {
    if (this.#child.exitCode != null || this.#child.signalCode != null) return
    const exited = once(this.#child, 'exit')
    how()
    await exited
  }
}
