import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { mean } from '../../src/common/mean.ts'
import { reportSchema, type Report } from '../../scripts/testnet/report/report.ts'
import type { SampleClass } from '../../scripts/testnet/classes.ts'

const TESTNET = resolve(import.meta.dirname, '../../scripts/testnet/index.js')
const run = promisify(execFile)

export interface RunOptions {
  readonly classes: readonly SampleClass[]
  readonly seed: number
  readonly rounds: number
  /** Folder of all runs; what is finished there is not run again. */
  readonly out: string
}

/** The report of one testnet of four hospitals. @throws Error when it fails. */
export async function reportOf ({ classes, seed, rounds, out }: RunOptions): Promise<Report> {
  const folder = join(out, `${classes.join('+')}-${seed}-${rounds}`)
  const file = join(folder, 'report.json')
  const known = await readFile(file, 'utf8').catch(() => undefined)
  if (known != null) return reportSchema.parse(JSON.parse(known))
  await run(process.execPath, [
    TESTNET, '--classes', classes.join(), '--seed', String(seed), '--rounds', String(rounds), '--out', folder
  ], { maxBuffer: 2 ** 26 })
  return reportSchema.parse(JSON.parse(await readFile(file, 'utf8')))
}

/** Mean Dice of a class over the hospitals; each has images that show it. */
export function classDice ({ hospitals }: Pick<Report, 'hospitals'>, name: SampleClass, mode: 'global' | 'personal'): number {
  return mean(hospitals.map(({ classes }) => classes?.[name]?.[mode] ?? NaN))
}
