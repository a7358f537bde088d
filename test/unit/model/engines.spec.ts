import type * as tf from '@tensorflow/tfjs-core'
import { createEngine } from '../../../src/compute/index.ts'
import { samForward } from '../../../src/model/sam/sam.ts'
import { expectClose, extensionWeights, goldenExtension, golden, nhwc, tinyWeights } from './golden.ts'
import { config } from './learners.ts'

describe('every engine', function () {
  this.timeout(60_000)

  for (const name of ['onnx', 'wasm', 'cpu'] as const) {
    it(`${name} runs the personal model as the reference does`, async () => {
      const engine = await createEngine({ name, threads: 1 })
      const step = engine.compile((t) => ({ masks: samForward(t, config, t['image'] as tf.Tensor4D).masks }))
      const { masks } = await step.run({ ...tinyWeights, ...extensionWeights, image: nhwc(golden('in.image')) })
      expectClose(masks, goldenExtension('personal.masks'), 3e-5)
      await step.dispose()
      await engine.dispose()
    })
  }
})
