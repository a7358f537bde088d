import * as tf from '@tensorflow/tfjs-core'
import { attend } from '../../../src/compute/index.ts'
import type { HostRecord } from '../../../src/compute/index.ts'
import { createEngines, disposeEngines, expectClose, numbers, runOnce, withGradients } from './compare.ts'
import type { Engines } from './compare.ts'

type Named = Record<string, tf.Tensor>

describe('compute: attention with gradients of its own', () => {
  let engines: Engines
  before(async () => { engines = await createEngines() })
  after(async () => { await disposeEngines(engines) })

  const rows = 7
  const square = (side: number): HostRecord => ({
    query: numbers([5, rows, 4], -1, 1, 2),
    key: numbers([5, side * side, 4], -1, 1, 3),
    value: numbers([5, side * side, 3], -1, 1, 4),
    places: numbers([5, rows, 2 * side], -1, 1, 5)
  })
  /** Three groups of two heads. */
  const grouped: HostRecord = {
    query: numbers([6, rows, 4], -1, 1, 2),
    key: numbers([6, 9, 4], -1, 1, 3),
    value: numbers([6, 9, 3], -1, 1, 4),
    biases: numbers([2, rows, 9], -1, 1, 5)
  }
  const { places: _, ...plain } = square(3)

  /** The same by tfjs' own gradients, the places added to every logit by broadcasting. */
  function reference ({ query, key, value, places, biases }: Named): tf.Tensor {
    const logits = tf.matMul(query!, key!, false, true)
    if (biases !== undefined) return tf.matMul(tf.softmax(tf.add(logits, tf.concat([biases, biases, biases]))), value!)
    if (places === undefined) return tf.matMul(tf.softmax(logits), value!)
    const side = places.shape[2]! / 2
    const [byRow, byColumn] = tf.split(places, 2, 2) as [tf.Tensor, tf.Tensor]
    const added = tf.add(tf.reshape(byRow, [5, rows, side, 1]), tf.reshape(byColumn, [5, rows, 1, side]))
    return tf.matMul(tf.softmax(tf.add(logits, tf.reshape(added, logits.shape))), value!)
  }

  function ours (budget: number): (inputs: Named) => tf.Tensor {
    return ({ query, key, value, places, biases }) =>
      attend(query as tf.Tensor3D, key as tf.Tensor3D, value as tf.Tensor3D, {
        budget,
        places: places as tf.Tensor3D | undefined,
        biases: biases as tf.Tensor3D | undefined
      })
  }

  for (const [what, inputs] of [['plain', plain], ['with places of a square', square(3)], ['with biases', grouped]] as const) {
    const oneMap = 4 * rows * (inputs['key']?.shape[1] ?? 0)
    for (
      const [name, budget] of [['all maps are kept', Infinity], ['no map fits', 1], ['two of five heads fit', 2 * oneMap], [
        'all but one fit',
        4 * oneMap
      ]] as const
    ) {
      it(`${what}: gives the value and the gradients of the plain formula where ${name}`, async () => {
        const expected = await runOnce(engines.cpu, withGradients(reference), inputs)
        for (const engine of [engines.onnx, engines.cpu]) {
          const actual = await runOnce(engine, withGradients(ours(budget)), inputs)
          for (const output of Object.keys(expected)) expectClose(actual[output]!, expected[output]!, 1e-5, `${engine.name} ${output}`)
        }
      })
    }
  }
})
