import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { promisify } from 'node:util'

/** Fifteen minutes: a slow machine. */
const LIMIT_MS = 900_000
const run = promisify(execFile)

async function lastJson<T> (file: string, args: readonly string[]): Promise<T> {
  const { stdout } = await run(file, args, { timeout: LIMIT_MS, maxBuffer: 2 ** 24 })
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as T
}

/** What the measure-worker of a bench's folder prints last, in a process of its own. */
export async function measureApart<T> (folder: string, args: readonly string[]): Promise<T> {
  return await lastJson<T>(process.execPath, [...process.execArgv, join(folder, `measure-worker${extname(import.meta.filename)}`), ...args])
}

/**
 * The same of a script for `python`, which lies beside the sources, also when this file runs from dist. @throws Error when it does not
 * start or has no torch
 */
export async function measureTorch<T> (python: string, folder: string, script: string, args: readonly string[]): Promise<T> {
  const beside = join(folder, script)
  return await lastJson<T>(python, [existsSync(beside) ? beside : join(folder, '../../../bench', basename(folder), script), ...args])
}
