/**
 * npm run bench:sam -- [--json] [--torch PYTHON] [--case "LoRA step 448;…"] [--provider cpu|cuda|webgpu] [--threads 2] [--rounds 3]
 * [--memory fast|low] [--products] With the provider `cuda` PyTorch computes on the card, too. `--products` adds which share of our
 * time matrix products take on the CPU, by ONNX Runtime's profile. Both engines take turns, so that a busy moment of the machine hits
 * both; each measurement is a process of its own.
 */
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { sayHelp } from '../../scripts/say-help.ts'
import { measureApart, measureTorch } from '../measure-apart.ts'
import { cases, type Case } from './cases.ts'

interface Sample { readonly ms: number, readonly cpuMs: number | null, readonly loss: number, readonly peakRssMb: number }

interface Row {
  readonly case: string
  readonly onnxMs: number
  readonly torchMs: number | null
  /** onnx / torch time. */
  readonly ratioTorch: number | null
  /** Least time of all cores together, where both programs say it. */
  readonly cpuMs: number | null
  readonly torchCpuMs: number | null
  readonly peakRssMb: number
  readonly torchPeakRssMb: number | null
  /** Both programs' loss before the first update; the same maths gives the same number. */
  readonly loss: number | null
  readonly torchLoss: number | null
  /** Of our time on the CPU, where it was asked for. */
  readonly productShare: number | null
}

interface Options {
  readonly torch: string | undefined
  readonly provider: string
  readonly threads: string
  readonly rounds: number
  readonly memory: string
  readonly products: boolean
}

async function runOurs<T> (bench: Case, { provider, threads, memory }: Options, ...more: string[]): Promise<T> {
  return await measureApart<T>(import.meta.dirname, [
    '--case',
    bench.name,
    '--provider',
    provider,
    '--threads',
    threads,
    '--memory',
    memory,
    ...more
  ])
}

async function runTorch (python: string, bench: Case, { provider, threads }: Options): Promise<Sample> {
  const { model, size, batch, work, first, steps } = bench
  const args = [
    '--size',
    String(size),
    '--steps',
    String(steps),
    '--threads',
    threads,
    ...model === 'vit-b' ? ['--device', provider] : ['--batch', String(batch), '--first', String(first)],
    ...work === 'forward' ? ['--forward'] : [],
    ...work === 'cached' ? ['--cached'] : []
  ]
  const found = await measureTorch<{ median_ms: number, cpu_ms?: number, loss: number, peak_rss_mb: number }>(
    python,
    import.meta.dirname,
    model === 'vit-b' ? 'torch_sam_step.py' : 'torch_litemedsam_step.py',
    args
  )
  return { ms: found.median_ms, cpuMs: found.cpu_ms ?? null, loss: found.loss, peakRssMb: Math.round(found.peak_rss_mb) }
}

function median (samples: readonly Sample[], of: (sample: Sample) => number): number {
  return samples.map(of).sort((a, b) => a - b)[Math.floor(samples.length / 2)]!
}

async function measureCase (bench: Case, options: Options): Promise<Row> {
  const ours: Sample[] = []
  const theirs: Sample[] = []
  for (let round = 0; round < options.rounds; round++) {
    ours.push(await runOurs<Sample>(bench, options))
    if (options.torch != null && bench.compared) theirs.push(await runTorch(options.torch, bench, options))
  }
  const share = options.products ? await runOurs<{ productShare: number }>(bench, options, '--products') : null
  return rowOf(bench, ours, theirs, share?.productShare ?? null)
}

function leastCpu (samples: readonly Sample[]): number | null {
  const all = samples.flatMap(({ cpuMs }) => cpuMs ?? [])
  return all.length === 0 ? null : Math.round(Math.min(...all))
}

function rowOf ({ name, work }: Case, ours: readonly Sample[], theirs: readonly Sample[], productShare: number | null): Row {
  const onnxMs = median(ours, ({ ms }) => ms)
  const torchMs = theirs.length === 0 ? null : median(theirs, ({ ms }) => ms)
  return {
    case: name,
    onnxMs: Math.round(onnxMs),
    torchMs: torchMs == null ? null : Math.round(torchMs),
    ratioTorch: torchMs == null ? null : Number((onnxMs / torchMs).toFixed(3)),
    cpuMs: leastCpu(ours),
    torchCpuMs: leastCpu(theirs),
    peakRssMb: median(ours, ({ peakRssMb }) => peakRssMb),
    torchPeakRssMb: torchMs == null ? null : median(theirs, ({ peakRssMb }) => peakRssMb),
    loss: work === 'forward' ? null : ours[0]!.loss,
    torchLoss: work === 'forward' ? null : theirs[0]?.loss ?? null,
    productShare: productShare == null ? null : Number(productShare.toFixed(3))
  }
}

function tableOf (rows: readonly Row[]): string {
  const table = new Table({
    head: ['case', 'ms', 'torch ms', 'ratio', 'CPU ms', 'torch CPU ms', 'MB', 'torch MB', 'loss', 'torch loss', 'in products'],
    style: { head: [], border: [] }
  })
  const text = (value: number | null, digits = 0): string => value == null ? '–' : value.toFixed(digits)
  for (const row of rows) {
    table.push([
      row.case,
      text(row.onnxMs),
      text(row.torchMs),
      text(row.ratioTorch, 2),
      text(row.cpuMs),
      text(row.torchCpuMs),
      text(row.peakRssMb),
      text(row.torchPeakRssMb),
      text(row.loss, 5),
      text(row.torchLoss, 5),
      text(row.productShare, 2)
    ])
  }
  return table.toString()
}

async function main (): Promise<void> {
  sayHelp(`npm run bench:sam -- [--json] [--torch PYTHON] [--case "LoRA step 448;…"] [--provider cpu|cuda|webgpu] [--threads 2]
  [--rounds 3] [--memory fast|low] [--products]
Forward passes and steps of SAM beside PyTorch, as ratios; --products: the share of matrix products, by ONNX Runtime's profile.
`)
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      torch: { type: 'string' },
      case: { type: 'string' },
      provider: { type: 'string', default: 'cpu' },
      threads: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '3' },
      memory: { type: 'string', default: 'fast' },
      products: { type: 'boolean', default: false }
    }
  })
  if (values.provider === 'webgpu' && values.torch != null) throw new Error('PyTorch has no webgpu: leave --torch out')
  const names = values.case?.split(';') ?? cases.map(({ name }) => name)
  const rows: Row[] = []
  for (const name of names) {
    const bench = cases.find((each) => each.name === name)
    if (bench == null) throw new Error(`there is no case ${name}: choose from ${cases.map((each) => each.name).join('; ')}`)
    process.stderr.write(`measuring ${name}\n`)
    rows.push(
      await measureCase(bench, {
        torch: values.torch,
        provider: values.provider,
        threads: values.threads,
        rounds: Number(values.rounds),
        memory: values.memory,
        products: values.products
      })
    )
  }
  console.log(values.json ? JSON.stringify(rows, null, 2) : tableOf(rows))
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message.split('\n').slice(0, 3).join('\n')}\n`)
  process.exitCode = 1
})
