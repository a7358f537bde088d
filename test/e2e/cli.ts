import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { timesInAnotherForm } from '../times.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A running `consilium`; its output gathers in `out`. */
export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly out: { stdout: string, stderr: string }
  readonly ended: Promise<Ended>
}

/** Starts the compiled command line as a process of its own, the way users run it; `input` is all that stands on its standard input. */
export function start (args: readonly string[], { env = {}, input = '' }: { env?: NodeJS.ProcessEnv, input?: string } = {}): Running {
  const child = spawn(process.execPath, [`${ROOT}dist/src/cli/index.js`, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe']
  })
  // One that ends without reading it is no failure.
  child.stdin.on('error', () => {}).end(input)
  const out = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => { out.stdout += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { out.stderr += chunk.toString() })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...out }))
  return { child, out, ended }
}

export async function consilium (args: readonly string[], options: Parameters<typeof start>[1] = {}): Promise<Ended> {
  return await start(args, options).ended
}

/** Runs a command with --json that must succeed, and reads its one object, all of whose times are in one form. */
export async function consiliumJson<T> (args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await consilium([...args, '--json'])
  if (code !== 0) throw new Error(`consilium ${args.join(' ')} ended with ${code}: ${stderr}`)
  const value = JSON.parse(stdout) as T
  const others = timesInAnotherForm(value)
  if (others.length > 0) throw new Error(`consilium ${args.join(' ')} prints times that are not ISO 8601 in UTC: ${others.join()}`)
  return value
}

/** The plain lines on stderr, without the log's JSON lines. */
export function plainLines (stderr: string): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{"level"'))
}

/** The log's messages. */
export function logged (stderr: string): string[] {
  return stderr.split('\n').filter((line) => line.startsWith('{"level"')).map((line) => (JSON.parse(line) as { msg: string }).msg)
}
