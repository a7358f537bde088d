import { dirname } from 'node:path'
import { measureApart, measureTorch } from '../measure-apart.ts'
import type { Case } from './cases.ts'

export async function runWorker<T> (args: readonly string[]): Promise<T> {
  return await measureApart<T>(import.meta.dirname, args)
}

export interface TorchResult { readonly median_ms: number, readonly peak_rss_mb: number, readonly torch: string }

/** @throws Error when `python` does not start or has no torch. */
export async function runTorch (python: string, { depth, tokens, all, steps }: Case, threads: number): Promise<TorchResult> {
  const args = ['--depth', depth, '--tokens', tokens, '--steps', steps, '--threads', threads, ...all ? ['--all'] : []]
  return await measureTorch<TorchResult>(python, import.meta.dirname, 'torch_lora_step.py', args.map(String))
}

/** The first line of what a failed process said. */
export function reasonOf (error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string }
  const lines = stderr.split('\n').filter((line) => /error/i.test(line))
  return (lines.at(-1) ?? message.split('\n')[0] ?? '').trim().replaceAll(dirname(import.meta.dirname), '')
}
