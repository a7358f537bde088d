/** One case on one engine in a process of its own, so that peak memory is that of this run; prints one JSON line. */
import { parseArgs } from 'node:util'
import { Bench } from 'tinybench'
import { createEngine } from '../../src/compute/index.ts'
import type { Engine, EngineOptions, HostRecord } from '../../src/compute/index.ts'
import { createOnnxEngine } from '../../src/compute/onnx-engine.ts'
import { profiled } from '../profile.ts'
import { cases } from './cases.ts'
import type { Case } from './cases.ts'
import { corrections, loraStep, startOf } from './lora-step.ts'

export interface Measured { readonly ms: number, readonly minMs: number, readonly peakRssMb: number, readonly loss: number }

/** Two steps pass before the clock runs: the first one traces and compiles. */
const WARMUP = 2

function train (engine: Engine, bench: Case): () => Promise<number> {
  const { frozen, state: start, batch } = startOf(bench)
  const compiled = engine.compile(loraStep(bench), frozen)
  let [state, spare]: HostRecord[] = [start, {}]
  let step = 0
  return async () => {
    const { loss, ...next } = await compiled.run({ ...state, ...batch, corrections: corrections(++step) }, spare)
    ;[state, spare] = [next, state]
    return loss?.data[0] as number
  }
}

async function measure (engine: Engine, bench: Case, steps: number): Promise<Measured> {
  const step = train(engine, bench)
  let loss = NaN
  const timer = new Bench({ iterations: steps, time: 0, warmupIterations: WARMUP, warmupTime: 0, throws: true })
  timer.add(bench.name, async () => { loss = await step() })
  await timer.run()
  const result = timer.tasks[0]?.result
  if (result?.state !== 'completed') throw new Error(`the case ${bench.name} did not run to its end`)
  return { ms: result.latency.p50, minMs: result.latency.min, peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024), loss }
}

/** The share of a step's time that ONNX Runtime does not spend in the graph: tracing, keys, feeding, reading. */
async function overhead (bench: Case, options: { threads: number, memory: 'low' | 'fast' }): Promise<number> {
  let wall = 0
  const { graphMs } = await profiled(bench.steps, async (profile) => {
    const engine = createOnnxEngine({ ...options, profile }, { provider: 'cpu', reason: 'measured' })
    const step = train(engine, bench)
    for (let index = 0; index < WARMUP; index++) await step()
    const start = performance.now()
    for (let index = 0; index < bench.steps; index++) await step()
    wall = performance.now() - start
    await engine.dispose()
  })
  return 1 - graphMs / wall
}

const { values } = parseArgs({
  options: {
    case: { type: 'string', default: '' },
    engine: { type: 'string', default: 'onnx' },
    threads: { type: 'string', default: '2' },
    memory: { type: 'string', default: 'fast' },
    overhead: { type: 'boolean', default: false }
  }
})
const bench = cases.find(({ name }) => name === values.case)
if (bench === undefined) throw new Error(`there is no case ${values.case}: choose one of ${cases.map(({ name }) => name).join(', ')}`)
const options = { threads: Number(values.threads), memory: values.memory as 'low' | 'fast' }
if (values.overhead) {
  console.log(JSON.stringify({ hostOverhead: await overhead(bench, options) }))
} else {
  const name = values.engine as NonNullable<EngineOptions['name']>
  const engine = await createEngine({ name, ...options })
  console.log(JSON.stringify(await measure(engine, bench, name === 'wasm' ? bench.wasmSteps ?? 1 : bench.steps)))
  await engine.dispose()
}
