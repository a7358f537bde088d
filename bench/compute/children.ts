/** Runs one measurement in a process of its own and reads the JSON line that it prints. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Case } from './cases.ts'

/** Ten minutes: tfjs-wasm on a slow machine. */
const LIMIT_MS = 600_000
const run = promisify(execFile)

async function lastJson<T> (file: string, args: readonly string[]): Promise<T> {
  const { stdout } = await run(file, args, { timeout: LIMIT_MS, maxBuffer: 2 ** 24 })
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as T
}

export async function runWorker<T> (args: readonly string[]): Promise<T> {
  const worker = join(import.meta.dirname, `measure-worker${extname(import.meta.filename)}`)
  return await lastJson<T>(process.execPath, [...process.execArgv, worker, ...args])
}

export interface TorchResult { readonly median_ms: number, readonly peak_rss_mb: number, readonly torch: string }

/** @throws Error when `python` does not start or has no torch. */
export async function runTorch (python: string, { depth, tokens, all, steps }: Case, threads: number): Promise<TorchResult> {
  const args = [torchScript(), '--depth', depth, '--tokens', tokens, '--steps', steps, '--threads', threads, ...all ? ['--all'] : []]
  return await lastJson<TorchResult>(python, args.map(String))
}

/** The script lies beside the sources, also when this file runs from dist. */
function torchScript (): string {
  const [beside, inSources] = ['.', '../../../bench/compute'].map((folder) => join(import.meta.dirname, folder, 'torch_lora_step.py')) as [
    string,
    string
  ]
  return existsSync(beside) ? beside : inSources
}

/** The first line of what a failed process said. */
export function reasonOf (error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string }
  const lines = stderr.split('\n').filter((line) => /error/i.test(line))
  return (lines.at(-1) ?? message.split('\n')[0] ?? '').trim().replaceAll(dirname(import.meta.dirname), '')
}
