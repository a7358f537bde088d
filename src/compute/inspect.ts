/** What `consilium doctor` shows of the engines. */
import { InputError } from '../errors.ts'
import { chooseEngine, probesFor, probeTensorflow } from './choice.ts'
import type { TensorflowProbe } from './choice.ts'
import { defaultThreads } from './defaults.ts'
import { providers } from './onnx/providers.ts'
import type { Provider, ProviderTest } from './onnx/providers.ts'
import { findTensorflow } from './tensorflow-location.ts'
import type { Engine, EngineChoice, EngineOptions } from './types.ts'

export interface EnginesView {
  readonly threads: number
  readonly engines: ReadonlyArray<{ readonly name: string, readonly found: boolean, readonly detail: string }>
  readonly providers: readonly ProviderTest[]
  /** What these settings lead to, or why they lead nowhere. */
  readonly chosen: EngineChoice | string
}

/** Looks for the engines and tests every provider, each in a process of its own. */
export async function inspectEngines (options: EngineOptions): Promise<EnginesView> {
  const threads = options.threads ?? defaultThreads()
  const probes = probesFor(threads)
  const tests = new Map<Provider, ProviderTest>()
  for (const provider of providers) tests.set(provider, await probes.provider(provider))
  const tensorflow = await probeTensorflow(findTensorflow())
  const known = {
    provider: (provider: Provider) => Promise.resolve(tests.get(provider) as ProviderTest),
    tensorflow: () => Promise.resolve(tensorflow)
  }
  const working = [...tests.values()].filter(({ works }) => works).map(({ provider }) => provider)
  return {
    threads,
    engines: [
      { name: 'onnx', found: working.length > 0, detail: `ONNX Runtime on ${working.join(', ') || 'nothing'}` },
      typeof tensorflow === 'string'
        ? { name: 'tensorflow', found: false, detail: tensorflow }
        : {
            name: 'tensorflow',
            found: true,
            detail: `TensorFlow ${tensorflow.version}, ${tensorflow.gpu ? 'a CUDA device' : 'no CUDA device'}`
          },
      { name: 'wasm', found: true, detail: 'reference for tests, slow' }
    ],
    providers: [...tests.values()],
    chosen: await chooseEngine(options, known).then(
      (choice) => choice.name === 'tensorflow' ? asProbed(choice, tensorflow) : choice,
      (error: unknown) => {
        if (error instanceof InputError) return error.message
        throw error
      }
    )
  }
}

/** TensorFlow by name is chosen without a look at it. */
function asProbed (choice: EngineChoice, tensorflow: TensorflowProbe): EngineChoice | string {
  if (typeof tensorflow === 'string') return `the engine tensorflow is ${tensorflow}`
  return { ...choice, provider: tensorflow.gpu ? 'cuda' : 'cpu' }
}

const ROWS = 256
const WIDTH = 768
const HIDDEN = 3072
const MEASURE_MS = 1_000

/** GFLOP/s of a transformer's two largest products on 256 rows (forward only), over one second. */
export async function measureSpeed (engine: Engine): Promise<number> {
  const tf = await import('@tensorflow/tfjs-core')
  const matrix = (rows: number, columns: number): { shape: number[], data: Float32Array } =>
    ({ shape: [rows, columns], data: Float32Array.from({ length: rows * columns }, (_, i) => (i % 13) / 13 - 0.5) })
  const weights = { up: matrix(WIDTH, HIDDEN), down: matrix(HIDDEN, WIDTH) }
  const step = engine.compile(
    ({ x, up, down }) => ({ y: tf.mean(tf.matMul(tf.relu(tf.matMul(x as never, up as never)), down as never)) }),
    weights
  )
  const inputs = { x: matrix(ROWS, WIDTH) }
  await step.run(inputs)
  const start = performance.now()
  let runs = 0
  while (performance.now() - start < MEASURE_MS) {
    await step.run(inputs)
    runs++
  }
  const seconds = (performance.now() - start) / 1_000
  await step.dispose()
  return runs * 4 * ROWS * WIDTH * HIDDEN / seconds / 1e9
}
