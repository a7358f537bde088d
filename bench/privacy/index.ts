/** `npm run bench:privacy`: attack tools beside the defences (docs/privacy.md#attacks-beside-the-defences). */
import { hideBin } from 'yargs/helpers'
import { createEngine } from '../../src/compute/index.ts'
import { InputError, UsageError } from '../../src/errors.ts'
import { defences } from './defences.ts'
import { parseOptions } from './options.ts'
import { markdown, writeReport } from './report.ts'
import { findings, type Attacked } from './rows.ts'
import { attackAll } from './run.ts'

/** Images of a step of training. */
const BATCH = 2

async function main (args: string[]): Promise<void> {
  const options = await parseOptions(args)
  const { preset, data } = options
  const list = defences(preset.epsilons, Math.min(1, BATCH / (preset.pool / 2)))
  const engine = await createEngine({ name: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' })
  const all: Attacked[] = []
  const say = (line: string): void => { process.stderr.write(`${line}\n`) }
  try {
    for (const each of data) all.push(await attackAll({ engine, preset, data: each, defences: list, say }))
  } finally {
    await engine.dispose()
  }
  const files = await writeReport(options, all)
  const found = all.flatMap(findings).map(({ name, ok, detail }) => `${ok ? 'holds ' : 'missed'}  ${name}: ${detail}\n`)
  process.stdout.write(`${markdown(all)}\n${found.join('')}${files.join('\n')}\n`)
}

try {
  await main(hideBin(process.argv))
} catch (error) {
  if (!(error instanceof UsageError || error instanceof InputError)) throw error
  process.stderr.write(`bench:privacy: ${error.message}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
