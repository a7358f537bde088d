/** One row per case and engine: what was measured and how it compares. */
import Table from 'cli-table3'
import type { Case } from './cases.ts'

export interface Row {
  readonly case: string
  readonly engine: string
  readonly onnxMs: number | null
  readonly wasmMs: number | null
  readonly torchMs: number | null
  readonly tensorflowMs: number | null
  /** Time of the row's engine / PyTorch's. */
  readonly ratioTorch: number | null
  /** tfjs-wasm's time / that of the row's engine. */
  readonly ratioWasm: number | null
  /** Share of a step outside ONNX Runtime's graph. */
  readonly hostOverhead: number | null
  readonly peakRssMb: number | null
  readonly torchPeakRssMb: number | null
}

/** One run: its median step and its peak. */
export interface Sample { readonly ms: number, readonly peakRssMb: number }

export function rowsOf (bench: Case, engines: readonly string[], found: ReadonlyMap<string, Sample>, hostOverhead: number | null): Row[] {
  const time = (engine: string): number | null => found.get(engine)?.ms ?? null
  return engines.filter((engine) => found.has(engine)).map((engine) => ({
    case: bench.name,
    engine,
    onnxMs: time('onnx'),
    wasmMs: time('wasm'),
    torchMs: time('torch'),
    tensorflowMs: time('tensorflow'),
    ratioTorch: ratio(time(engine), time('torch')),
    ratioWasm: ratio(time('wasm'), time(engine)),
    hostOverhead: engine === 'onnx' ? hostOverhead : null,
    peakRssMb: found.get(engine)?.peakRssMb ?? null,
    torchPeakRssMb: found.get('torch')?.peakRssMb ?? null
  }))
}

function ratio (above: number | null, below: number | null): number | null {
  return above === null || below === null ? null : Number((above / below).toFixed(3))
}

/** The fastest run of one engine, for every engine alike: what else the machine did only ever adds time. The peak is the highest seen. */
export function leastDisturbed (samples: readonly Sample[]): Sample {
  return {
    ms: Number(Math.min(...samples.map(({ ms }) => ms)).toFixed(1)),
    peakRssMb: Math.max(...samples.map(({ peakRssMb }) => peakRssMb))
  }
}

export function tableOf (rows: readonly Row[]): string {
  const table = new Table({
    head: ['case', 'engine', 'ms', 'torch ms', 'ratio', 'wasm ms', 'times wasm', 'host', 'MB', 'torch MB'],
    style: { head: [], border: [] }
  })
  const text = (value: number | null, digits = 0): string => value === null ? '–' : value.toFixed(digits)
  for (const row of rows) {
    const own = row[`${row.engine}Ms` as 'onnxMs']
    const host = row.hostOverhead === null ? '–' : `${(row.hostOverhead * 100).toFixed(1)} %`
    table.push([
      row.case,
      row.engine,
      text(own),
      text(row.torchMs),
      text(row.ratioTorch, 2),
      text(row.wasmMs),
      text(row.ratioWasm),
      host,
      text(row.peakRssMb),
      text(row.torchPeakRssMb)
    ])
  }
  return table.toString()
}
