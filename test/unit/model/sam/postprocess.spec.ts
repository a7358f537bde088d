import { expect } from 'chai'
import fc from 'fast-check'
import { restoreLogits, restoreMask } from '../../../../src/model/sam/postprocess.ts'
import { expectClose, golden } from '../golden.ts'

const geometry = { height: 75, width: 100, side: 128, fittedHeight: 96, fittedWidth: 128 }
const lowRes = golden('dec.box.masks').data.slice(0, 32 * 32)

describe('post-processing', () => {
  it('restores the reference logits at the original size', () => {
    const logits = restoreLogits(lowRes, 32, geometry)
    expectClose({ shape: [75, 100], data: logits }, golden('post.box_75x100'), 3e-5)
  })

  it('is foreground exactly where the logit is positive', () => {
    const expected = golden('post.box_75x100').data
    const mask = restoreMask(lowRes, 32, geometry)
    expect(mask.length).to.equal(7500)
    expected.forEach((logit, i) => {
      if (Math.abs(logit) > 1e-4) expect(mask[i]).to.equal(logit > 0 ? 1 : 0)
    })
  })

  it('is the same row by row as from all logits, to the pixel', () => {
    const sides = fc.integer({ min: 1, max: 40 })
    fc.assert(fc.property(sides, sides, fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 16 }), (height, width, tall, wide) => {
      const place = { height, width, side: 16, fittedHeight: tall, fittedWidth: wide }
      const logits = restoreLogits(lowRes, 32, place)
      expect(restoreMask(lowRes, 32, place)).to.deep.equal(new Uint8Array(logits.map((logit) => logit > 0 ? 1 : 0)))
    }))
  })
})
