import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError } from '../../../src/errors.ts'

const EXTENSION = extname(import.meta.filename)
/** The command line as a user has it: compiled beside a compiled testnet, as TypeScript beside one run by tsx. */
const CLI = fileURLToPath(new URL(`../../../src/cli/index${EXTENSION}`, import.meta.url))

export interface SpawnOptions {
  /** Both streams are appended to this file; without it stdout is kept. */
  readonly log?: string
  readonly env?: Record<string, string>
}

/**
 * Every process that a testnet starts. Each leads its own group: a Ctrl-C at the terminal reaches the testnet only, which
 * then stops them in order, and killing a group takes a daemon's trainer along.
 */
export class Children {
  readonly #running = new Set<ChildProcess>()
  /** Settings for all of them. */
  environment: Record<string, string> = {}

  constructor () {
    process.on('exit', () => { this.killAll() })
  }

  spawnScript (script: string, args: readonly string[], { log, env }: SpawnOptions = {}): ChildProcess {
    const out = log == null ? undefined : openSync(log, 'a')
    const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
      detached: true,
      env: { ...process.env, ...this.environment, ...env },
      stdio: ['ignore', out ?? 'pipe', out ?? 'pipe']
    })
    if (out != null) closeSync(out)
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    return child
  }

  spawnCli (args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return this.spawnScript(CLI, args, options)
  }

  /** Runs a command to its end and parses what it prints. @throws InputError with the command's own sentence when it fails. */
  async runJson<T> (child: ChildProcess, what: string): Promise<T> {
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
    const [code, signal] = await once(child, 'close') as [number | null, string | null]
    if (code !== 0) throw new InputError(`${what} failed (${signal ?? `exit code ${code}`}): ${(await stderr).trim() || 'it said nothing'}`)
    return JSON.parse(await stdout) as T
  }

  async cliJson<T> (args: readonly string[], options: SpawnOptions = {}): Promise<T> {
    return await this.runJson<T>(this.spawnCli([...args, '--json'], options), `consilium ${args.slice(0, 2).join(' ')}`)
  }

  killAll (): void {
    for (const { pid } of this.#running) if (pid != null) killGroup(pid)
  }
}

/** SIGKILL for a daemon and whatever it started. */
export function killGroup (pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch { /* gone already */ }
}

/** Process ids that `pid` started and that still run (Linux; elsewhere none are known). */
export async function childPids (pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').map(Number).filter((each) => each > 0)
}

/** True while the process exists and is not a zombie. */
export async function isAlive (pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat !== '' && !/\) Z /.test(stat)
}

async function collect (stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = ''
  for await (const chunk of stream ?? []) text += String(chunk)
  return text
}
