/** The self-test of one execution provider (argv: provider, threads): known numbers, then 50 ms against the clock; answers over IPC. */
import onnxProto from 'onnx-proto'
// Before ONNX Runtime.
import './no-telemetry.ts'
import * as ort from '#onnxruntime/dist/index.js'
import { messageOf } from '../../common/message-of.ts'
import type { Provider } from './providers.ts'
import { sessionOptions } from './session.ts'

const { onnx } = onnxProto
/** The larger ones for those whom the smaller do not keep busy. */
const SIDES = [256, 512, 1024]
const BUSY_MS = 5
/** As many products per upload as a small training step has. */
const LAYERS = 16
const TEST_MS = 50
const TOLERANCE = 1e-5
/** A session of CUDA may round by chance (rounding.ts); one that keeps float32 is enough. */
const SESSIONS = 3

/** softmax(x·w), `layers` times over, and its sum; x and w [n, n]. */
function model (layers: number): Uint8Array {
  const node = Array.from({ length: layers }, (_, i) => [
    { opType: 'MatMul', input: [i === 0 ? 'x' : `y${i - 1}`, 'w'], output: [`p${i}`] },
    { opType: 'Softmax', input: [`p${i}`], output: [`y${i}`], attribute: [{ name: 'axis', type: 2, i: -1 }] }
  ]).flat()
  const info = (name: string): object => ({
    name,
    type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'n' }, { dimParam: 'n' }] } } }
  })
  const last = `y${layers - 1}`
  const output = [info(last), { name: 'sum', type: { tensorType: { elemType: 1 } } }]
  const graph = {
    name: 'self-test',
    node: [...node, { opType: 'ReduceSum', input: [last], output: ['sum'] }],
    input: [info('x'), info('w')],
    output
  }
  return onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: '', version: 18 }], graph }).finish()
}

function numbers (count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.fround(((i * seed) % 97) / 97 - 0.5))
}

/** softmax(x·w) in float64. */
function expected (x: Float32Array, w: Float32Array, side: number): number[] {
  return Array.from({ length: side }, (_, row) => {
    const line = Array.from({ length: side }, (_each, column) => {
      let sum = 0
      for (let k = 0; k < side; k++) sum += (x[row * side + k] as number) * (w[k * side + column] as number)
      return Math.exp(sum)
    })
    const total = line.reduce((sum, value) => sum + value, 0)
    return line.map((value) => value / total)
  }).flat()
}

async function open (layers: number, wanted: string): Promise<(x: Float32Array, w: Float32Array, side: number) => Promise<Float32Array>> {
  const [provider, threads] = process.argv.slice(2)
  const session = await ort.InferenceSession.create(
    model(layers),
    sessionOptions({ threads: Number(threads), memory: 'fast', provider: provider as Provider })
  )
  return async (x, w, side) => {
    const shape = [side, side]
    const outputs = await session.run({ x: new ort.Tensor('float32', x, shape), w: new ort.Tensor('float32', w, shape) }, [wanted])
    return outputs[wanted]?.data as Float32Array
  }
}

async function checkNumbers (): Promise<void> {
  const side = 48
  const [x, w] = [numbers(side * side, 31), numbers(side * side, 57)]
  const wanted = expected(x, w, side)
  let worst = NaN
  for (let tries = 0; tries < SESSIONS && !(worst <= TOLERANCE); tries++) {
    const actual = await (await open(1, 'y0'))(x, w, side)
    worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - (actual[i] ?? NaN))), 0)
  }
  if (!(worst <= TOLERANCE)) throw new Error(`it computes wrong numbers (off by ${worst})`)
}

/** GFLOP/s; only the sum comes back, since a training step brings little back, too. */
async function speed (): Promise<number> {
  const run = await open(LAYERS, 'sum')
  let gflops = 0
  for (const side of SIDES) {
    const [x, w] = [numbers(side * side, 31), numbers(side * side, 57)]
    // The first run compiles.
    await run(x, w, side)
    const ms = await timeOf(async () => await run(x, w, side))
    gflops = LAYERS * 2 * side ** 3 / ms / 1e6
    if (ms > BUSY_MS) break
  }
  return gflops
}

/** Mean milliseconds of one run, over as many as fit in the test's time. */
async function timeOf (run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  let runs = 0
  while (runs === 0 || performance.now() - start < TEST_MS) {
    await run()
    runs++
  }
  return (performance.now() - start) / runs
}

try {
  await checkNumbers()
  process.send?.(await speed())
} catch (error) {
  process.send?.(messageOf(error))
}
