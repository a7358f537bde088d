import * as tf from '@tensorflow/tfjs-core'
import { createEngine, type HostRecord, type TensorRecord } from '../../../src/compute/index.ts'
import { runBlocks } from '../../../src/model/sam/image-encoder.ts'
import { expectCloseRelative } from '../../unit/model/golden.ts'
import { liteAdapters, liteConfig, liteWeights } from '../../unit/model/sam/lite-golden.ts'

const config = liteConfig(64)
/** The first stage's last, with its merge, and that of the second stage which has experts in the reference's training. */
const BLOCKS = [
  { block: 1, name: 'layers.1.blocks.1', needs: /layers\.1\.(blocks\.1|downsample)\./, side: 32, dim: 128 },
  { block: 5, name: 'layers.2.blocks.3', needs: /layers\.2\.blocks\.3\./, side: 16, dim: 160 }
]

/** Outcome and gradients of one block whose tokens are noise. */
function inside (t: TensorRecord, block: number, names: readonly string[]): TensorRecord {
  const { '@tokens': tokens, ...base } = t
  const { value, grads } = tf.valueAndGrads((x, ...trained) => {
    const record = { ...base, ...Object.fromEntries(names.map((name, i) => [name, trained[i]!])) }
    return tf.sum(tf.square(runBlocks({ x: x as tf.Tensor4D, routing: [] }, record, config, block, block + 1).x))
  })([tokens!, ...names.map((name) => t[name]!)])
  return { value, tokens: grads[0]!, ...Object.fromEntries(names.map((name, i) => [name, grads[i + 1]!])) }
}

async function results (name: 'onnx' | 'cpu', inputs: HostRecord, block: number, names: readonly string[]): Promise<HostRecord> {
  const engine = await createEngine({ name, threads: 1 })
  const compiled = engine.compile((t) => inside(t, block, names))
  const outputs = await compiled.run(inputs)
  await compiled.dispose()
  await engine.dispose()
  return outputs
}

// The whole encoder's gradients take plain JavaScript minutes: those before block 8 are compared with the onnx engine's, which the
// reference holds, a block at a time.
describe('blocks of LiteMedSAM in plain JavaScript', function () {
  this.timeout(900_000)

  for (const { block, name, needs, side, dim } of BLOCKS) {
    it(`have the onnx engine's gradients in ${name}`, async () => {
      const adapters = liteAdapters(true)
      const names = Object.keys(adapters).filter((each) => needs.test(each))
      const noise = Float32Array.from({ length: side * side * dim }, (_, i) => Math.sin(i * i % 1009))
      const tokens = { shape: [1, side, side, dim], data: noise }
      const weights = Object.entries({ ...liteWeights(), ...adapters }).filter(([each]) => needs.test(each))
      const inputs = { ...Object.fromEntries(weights), '@tokens': tokens }
      const [reference, seen] = [await results('onnx', inputs, block, names), await results('cpu', inputs, block, names)]
      expectCloseRelative(seen['value'], reference['value']!, 1e-5)
      for (const each of ['tokens', ...names]) expectCloseRelative(seen[each], reference[each]!, each.includes('lmoe') ? 5e-5 : 3e-4)
    })
  }
})
