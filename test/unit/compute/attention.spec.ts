import type * as tf from '@tensorflow/tfjs-core'
import { attend } from '../../../src/compute/index.ts'
import type { HostRecord } from '../../../src/compute/index.ts'
import { createEngines, disposeEngines, expectClose, numbers, runOnce, withGradients } from './compare.ts'
import type { Engines } from './compare.ts'

describe('compute: attention whose maps are computed twice', () => {
  let engines: Engines
  before(async () => { engines = await createEngines() })
  after(async () => { await disposeEngines(engines) })

  const inputs: HostRecord = { query: numbers([5, 7, 4], -1, 1, 2), key: numbers([5, 9, 4], -1, 1, 3), value: numbers([5, 9, 3], -1, 1, 4) }
  const step = (budget: number): ReturnType<typeof withGradients> =>
    withGradients(({ query, key, value }) => attend(query as tf.Tensor3D, key as tf.Tensor3D, value as tf.Tensor3D, budget))
  const oneMap = 4 * 7 * 9

  for (const [name, budget] of [['no map fits', 1], ['two of five heads fit', 2 * oneMap], ['all but one fit', 4 * oneMap]] as const) {
    it(`gives the value and the gradients of kept maps where ${name}`, async () => {
      const expected = await runOnce(engines.cpu, step(Infinity), inputs)
      for (const engine of [engines.onnx, engines.cpu]) {
        const actual = await runOnce(engine, step(budget), inputs)
        for (const output of Object.keys(expected)) expectClose(actual[output]!, expected[output]!, 1e-5, `${engine.name} ${output}`)
      }
    })
  }
})
