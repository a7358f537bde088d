import type * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import type { HostRecord } from '../../../../src/compute/index.ts'
import { encodeImage } from '../../../../src/model/sam/image-encoder.ts'
import { promptMasks } from '../../../../src/model/sam/sam.ts'
import { compute } from '../golden.ts'
import { liteConfig, liteWeights, maskSample, sampled, unroundedGolden } from './lite-golden.ts'
import { imageOf, PICTURES, promptsFor } from './lite-parity.ts'

/** What rounding to float16 may cost (docs/spec/litemedsam.md#tolerances): the most, root mean square, pixels that flip. */
const EMBEDDING = { most: 0.02, typical: 8e-4 }
const LOGITS = { most: 0.122, typical: 0.05 }
const FLIPPED = 5

function expectNear (actual: Float32Array, expected: Float32Array, { most, typical }: typeof LOGITS): void {
  const differences = actual.map((value, i) => Math.abs(value - expected[i]!))
  expect(actual).to.have.length(expected.length)
  expect(differences.reduce((largest, each) => Math.max(largest, each), 0)).to.be.at.most(most)
  expect(Math.hypot(...differences) / Math.sqrt(expected.length)).to.be.at.most(typical)
}

function flipped (actual: Float32Array, expected: Float32Array): number {
  return actual.filter((value, i) => (value > 0) !== (expected[i]! > 0)).length
}

describe('LiteMedSAM rounded to float16', function () {
  this.timeout(300_000)
  const golden = unroundedGolden()

  for (const picture of PICTURES) {
    it(`answers ${picture} in a box as the original does`, async () => {
      const { embedding, masks } = await compute({ ...liteWeights(), image: imageOf(picture) }, (t) => {
        const encoded = encodeImage(t, liteConfig(), t['image'] as tf.Tensor4D).embedding
        return { embedding: encoded, masks: promptMasks(t, liteConfig(), encoded, promptsFor(picture, 'box')).masks }
      }) as Required<Pick<HostRecord, 'embedding' | 'masks'>>
      expectNear(sampled(embedding, true).data, golden(`${picture}.neck.3`).data, EMBEDDING)
      expectNear(maskSample(masks, 4, 8).data, golden(`${picture}.box.masks_sub`).data, LOGITS)
      if (picture !== 'nuclei') return
      const whole = golden('nuclei.box.mask0').data
      const map = (masks.data as Float32Array).subarray(0, whole.length)
      expectNear(map, whole, LOGITS)
      expect(flipped(map, whole)).to.be.at.most(FLIPPED)
    })
  }
})
