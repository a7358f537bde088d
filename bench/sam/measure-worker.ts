/**
 * One case in a process of its own, so that peak memory is that of this run; prints one JSON line. The maths is that of
 * torch_sam_step.py and torch_litemedsam_step.py.
 */
import { parseArgs } from 'node:util'
import { createEngine, type CompiledStep, type Engine, type EngineOptions, type HostRecord } from '../../src/compute/index.ts'
import { createOnnxEngine } from '../../src/compute/onnx-engine.ts'
import { supervised } from '../../src/model/components/supervised.ts'
import { createLayout, flatten, type Layout } from '../../src/model/parameters/layout.ts'
import { adapterTensors } from '../../src/model/parameters/shared-set.ts'
import { lowResSide, samConfig, withImageSize, type SamConfig } from '../../src/model/sam/build-sam.ts'
import { tensorShapes } from '../../src/model/sam/tensor-shapes.ts'
import { prepareWeights, type Weights } from '../../src/model/sam/weights.ts'
import { forwardStep, frozenFeaturesStep, type StepContext } from '../../src/model/steps.ts'
import { stepScalars } from '../../src/model/train/optimiser.ts'
import { phaseStep } from '../../src/model/train/phase-step.ts'
import { profiled } from '../profile.ts'
import { cases, loraBlocks, type Case } from './cases.ts'
import { hashTensor, weightScale } from './hash-tensor.ts'

export interface Measured {
  /** Median of a step. */
  readonly ms: number
  /** Least of a step, all cores together: it hardly depends on what else the machine does, least of all with one thread. */
  readonly cpuMs: number
  readonly loss: number
  readonly peakRssMb: number
}

const WARMUP = 2

/** What the names of generated tensors begin with. */
const PREFIX = { 'vit-b': 'vitb', litemedsam: 'lite' } as const

function baseWeights (prefix: string, config: SamConfig, full: SamConfig): Weights {
  const weights = Object.fromEntries([...tensorShapes(full)].map(([name, shape]) => {
    const { amplitude, offset } = weightScale(name, shape)
    return [name, { shape, data: hashTensor(`${prefix}:${name}`, shape.reduce((product, side) => product * side, 1), amplitude, offset) }]
  }))
  return prepareWeights(weights, full, config)
}

function startValues (layout: Layout, weights: Weights): Float32Array {
  return flatten(layout, Object.fromEntries(layout.entries.map(({ name, size }) => {
    if (!name.includes('lora_')) return [name, weights[name]!]
    return [name, { data: hashTensor(`ext:${name}`, size, name.includes('lora_A') ? 1 / 8 : 1 / 64) }]
  })))
}

/** ViT-B's is stored channel by channel. */
function images ({ model, size, batch }: Case): Float32Array {
  if (model === 'litemedsam') return hashTensor(`lite:input${size}`, batch * size * size * 3, 0.5, 0.5)
  const planes = hashTensor(`vitb:input${size}`, 3 * size * size, 2)
  return Float32Array.from({ length: 3 * size * size }, (_, i) => planes[(i % 3) * size * size + Math.floor(i / 3)]!)
}

/** The same disc in every image. */
function discs (batch: number, side: number): Float32Array {
  return Float32Array.from(
    { length: batch * side * side },
    (_, i) => (Math.floor(i / side) % side - side / 2) ** 2 + (i % side - side / 2) ** 2 < (side / 4) ** 2 ? 1 : 0
  )
}

function filled (size: number, value: number): HostRecord[string] {
  return { shape: [size], data: new Float32Array(size).fill(value) }
}

interface Setup { readonly context: StepContext, readonly weights: Weights, readonly gamma: Float32Array, readonly pixels: HostRecord }

function setup (bench: Case): Setup {
  const full = samConfig(bench.model)
  const config = withImageSize(full, bench.size)
  const weights = baseWeights(PREFIX[bench.model], config, full)
  const blocks = loraBlocks(bench, config.depth)
  const adapter = createLayout(
    adapterTensors(config, {
      lora: { blocks, rank: 4, alpha: 4 },
      decoder: bench.model === 'vit-b' ? 'lora+mask-head' : 'lora+upscaling',
      moe: { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' }
    })
  )
  const context: StepContext = {
    config,
    options: { loraScale: 1, topK: 1, gate: 'token' },
    adapter,
    experts: createLayout([]),
    firstExpert: Infinity,
    firstAdapted: bench.first,
    clipNorm: 1
  }
  return {
    context,
    weights,
    gamma: startValues(adapter, weights),
    pixels: { '@images': { shape: [bench.batch, bench.size, bench.size, 3], data: images(bench) } }
  }
}

/** Repeats the work; returns the loss before the first update, or 0 for forward passes. */
function repeater (
  engine: Engine,
  bench: Case,
  { context, weights, gamma, pixels }: Setup,
  seen: HostRecord
): { run: () => Promise<number>, step: CompiledStep } {
  if (bench.work === 'forward') {
    const step = engine.compile(forwardStep(context), weights)
    return { step, run: async () => { await step.run({ ...pixels, '@gamma': { shape: [gamma.length], data: gamma } }); return 0 } }
  }
  const step = engine.compile(phaseStep(context, 'G', supervised.terms.G), weights)
  const side = lowResSide(context.config)
  const size = gamma.length
  const fixed: HostRecord = {
    ...seen,
    '@targets': { shape: [bench.batch, 1, side, side], data: discs(bench.batch, side) },
    '@rate': filled(size, 1e-4),
    '@decay': filled(size, 0.01)
  }
  let state: HostRecord = { '@gamma': { shape: [size], data: gamma }, '@first': filled(size, 0), '@second': filled(size, 0) }
  let count = 0
  return {
    step,
    run: async () => {
      const scalars = stepScalars(++count, 1)
      const { value, first, second, loss } = await step.run({ ...fixed, ...state, '@scalars': { shape: [scalars.length], data: scalars } })
      state = { '@gamma': value!, '@first': first!, '@second': second! }
      return loss!.data[0]!
    }
  }
}

async function measure (engine: Engine, bench: Case): Promise<Measured> {
  const made = setup(bench)
  let seen = made.pixels
  if (bench.work === 'cached') {
    const stem = engine.compile(frozenFeaturesStep(made.context.config, bench.first), made.weights)
    const { tokens } = await stem.run(made.pixels)
    await stem.dispose()
    seen = { '@tokens': tokens! }
  }
  const { run, step } = repeater(engine, bench, made, seen)
  const loss = await run()
  for (let warm = 1; warm < WARMUP; warm++) await run()
  const times: number[] = []
  let cpuMs = Infinity
  for (let index = 0; index < bench.steps; index++) {
    const [begun, busy] = [performance.now(), process.cpuUsage()]
    await run()
    times.push(performance.now() - begun)
    const { user, system } = process.cpuUsage(busy)
    cpuMs = Math.min(cpuMs, (user + system) / 1000)
  }
  await step.dispose()
  const ms = times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!
  return { ms, cpuMs, loss, peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024) }
}

/** The share of the graph's time on the CPU that matrix products take. */
async function productShare (bench: Case, options: { threads: number, memory: 'fast' | 'low' }): Promise<number> {
  const { graphMs, productsMs } = await profiled(bench.steps, async (profile) => {
    const engine = createOnnxEngine({ ...options, profile }, { provider: 'cpu', reason: 'measured' })
    await measure(engine, bench)
    await engine.dispose()
  })
  return productsMs / graphMs
}

const { values } = parseArgs({
  options: {
    case: { type: 'string', default: '' },
    provider: { type: 'string', default: 'cpu' },
    threads: { type: 'string', default: '2' },
    memory: { type: 'string', default: 'fast' },
    products: { type: 'boolean', default: false }
  }
})
const bench = cases.find(({ name }) => name === values.case)
if (bench == null) throw new Error(`there is no case ${values.case}`)
const options = { threads: Number(values.threads), memory: values.memory as 'fast' }
if (values.products) {
  console.log(JSON.stringify({ productShare: await productShare(bench, options) }))
} else {
  const engine = await createEngine({ name: 'onnx', provider: values.provider as NonNullable<EngineOptions['provider']>, ...options })
  console.log(JSON.stringify(await measure(engine, bench)))
  await engine.dispose()
}
