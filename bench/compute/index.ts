/**
 * npm run bench:compute -- [--json] [--torch PYTHON] [--engine onnx,wasm,tensorflow] [--case 1x1024,…] [--threads 2] [--rounds 3]
 * [--memory fast|low] Engines take turns round by round, so that a busy moment of the machine hits all of them.
 */
import { parseArgs } from 'node:util'
import { sayHelp } from '../../scripts/say-help.ts'
import { cases } from './cases.ts'
import type { Case } from './cases.ts'
import { reasonOf, runTorch, runWorker } from './children.ts'
import { leastDisturbed, rowsOf, tableOf } from './rows.ts'
import type { Row, Sample } from './rows.ts'

interface Settings {
  readonly engines: readonly string[]
  readonly torch: string | undefined
  readonly threads: number
  readonly rounds: number
  readonly memory: string
}

function say (line: string): void {
  process.stderr.write(`${line}\n`)
}

const broken = new Set<string>()

/** One measurement; an engine that fails once is left out from then on, with its reason. */
async function sample (engine: string, bench: Case, { torch, threads, memory }: Settings): Promise<Sample | undefined> {
  if (broken.has(engine)) return undefined
  try {
    if (engine !== 'torch') {
      return await runWorker<Sample>(['--case', bench.name, '--engine', engine, '--threads', String(threads), '--memory', memory])
    }
    const result = await runTorch(torch as string, bench, threads)
    const [major = 0, minor = 0] = result.torch.split('.').map(Number)
    if (major * 100 + minor < 213) say(`this PyTorch is ${result.torch}; the targets are set against 2.13 or newer`)
    return { ms: result.median_ms, peakRssMb: result.peak_rss_mb }
  } catch (error) {
    broken.add(engine)
    say(`${engine} is left out: ${reasonOf(error)}`)
    return undefined
  }
}

async function measureCase (bench: Case, settings: Settings): Promise<Row[]> {
  const { engines, torch, rounds, threads, memory } = settings
  const contenders = [...engines.filter((engine) => engine !== 'wasm'), ...torch === undefined ? [] : ['torch']]
  const samples = new Map<string, Sample[]>()
  const take = async (engine: string): Promise<void> => {
    const taken = await sample(engine, bench, settings)
    if (taken !== undefined) samples.set(engine, [...samples.get(engine) ?? [], taken])
  }
  for (let round = 0; round < rounds; round++) {
    for (const engine of contenders) await take(engine)
  }
  if (engines.includes('wasm') && bench.wasmSteps !== null) await take('wasm')
  const found = new Map(Array.from(samples, ([engine, taken]) => [engine, leastDisturbed(taken)]))
  const overhead = found.has('onnx')
    ? (await runWorker<{ hostOverhead: number }>(['--case', bench.name, '--overhead', '--threads', String(threads), '--memory', memory]))
        .hostOverhead
    : null
  return rowsOf(bench, engines, found, overhead === null ? null : Number(overhead.toFixed(4)))
}

function chosenCases (names: string): Case[] {
  if (names === '') return [...cases]
  return names.split(',').map((name) => {
    const bench = cases.find((one) => one.name === name)
    if (bench === undefined) throw new Error(`there is no case ${name}: choose from ${cases.map((one) => one.name).join(', ')}`)
    return bench
  })
}

function count (text: string, name: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number from 1 up, not ${text}`)
  return number
}

async function main (): Promise<void> {
  sayHelp(`npm run bench:compute -- [--json] [--torch PYTHON] [--engine onnx,wasm,tensorflow] [--case 1x1024,…] [--threads 2] [--rounds 3]
  [--memory fast|low]
Steps and products on each engine, and on PyTorch, as ratios; engines take turns.
`)
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      torch: { type: 'string' },
      engine: { type: 'string', default: 'onnx,wasm' },
      case: { type: 'string', default: '' },
      threads: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '3' },
      memory: { type: 'string', default: 'fast' }
    }
  })
  const settings: Settings = {
    engines: values.engine.split(','),
    torch: values.torch,
    threads: count(values.threads, 'threads'),
    rounds: count(values.rounds, 'rounds'),
    memory: values.memory
  }
  const rows: Row[] = []
  for (const bench of chosenCases(values.case)) {
    say(`measuring ${bench.name}`)
    rows.push(...await measureCase(bench, settings))
  }
  console.log(values.json ? JSON.stringify(rows, null, 2) : tableOf(rows))
}

main().catch((error: unknown) => {
  say((error as Error).message)
  process.exitCode = 1
})
