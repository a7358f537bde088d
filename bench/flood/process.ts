import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CLI = `${ROOT}dist/src/cli/index.js`
const HOSTILE = fileURLToPath(new URL('hostile-worker.ts', import.meta.url))

/** What the flooder says when it begins. */
export const BEGINS = 'it floods'

/** A child process with what it said. */
export class Child {
  readonly #child: ChildProcess
  readonly ended: Promise<void>
  stdout = ''
  stderr = ''

  private constructor (child: ChildProcess) {
    this.#child = child
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => { this.stdout += chunk })
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => { this.stderr += chunk })
    this.ended = once(child, 'close').then(() => {})
  }

  /** `consilium` as users run it; on the first core, so that the flooder's own work is not counted against it. */
  static cli (args: readonly string[]): Child {
    return Child.#on(0, [process.execPath, CLI, ...args])
  }

  /** On the last core: in truth it runs on another machine. */
  static hostile (args: readonly string[]): Child {
    return Child.#on(cpus().length - 1, [process.execPath, '--import', 'tsx', HOSTILE, ...args])
  }

  static #on (core: number, command: readonly string[]): Child {
    const [file, ...args] = canPin() ? ['taskset', '-c', String(core), ...command] : command
    return new Child(spawn(file!, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] }))
  }

  get isOver (): boolean {
    return this.#child.exitCode != null || this.#child.signalCode != null
  }

  /** Resident memory in MiB (Linux), 0 once it has ended. */
  async residentMiB (): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8').catch(() => '')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024
  }

  /** Milliseconds of processor time so far (Linux). */
  async processorMs (): Promise<number> {
    const stat = await readFile(`/proc/${this.#child.pid}/stat`, 'utf8').catch(() => '')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return 10 * (Number(fields[11] ?? 0) + Number(fields[12] ?? 0))
  }

  /** Resolves when it has said so on stderr. @throws Error when it ended without. */
  async said (words: string): Promise<void> {
    while (!this.stderr.includes(words) && !this.isOver) await Promise.race([once(this.#child.stderr!, 'data'), this.ended])
    if (!this.stderr.includes(words)) throw new Error(`it ended without saying "${words}": ${this.stderr}`)
  }

  async end (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.isOver) this.#child.kill(signal)
    await this.ended
  }
}

function canPin (): boolean {
  if (cpus().length < 2) return false
  try {
    execFileSync('taskset', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
