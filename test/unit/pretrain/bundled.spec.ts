import { expect } from 'chai'
import { bundledSamples } from '../../../scripts/pretrain/bundled.ts'

describe('slices of the bundled sample, as the pretraining scores them', () => {
  it('come from all four hospitals, each with its mask, a box that fits it and a point in the box', async function () {
    this.timeout(30_000)
    const hospitals = await bundledSamples(64)
    expect([...hospitals.keys()]).to.deep.equal(['hospital-a', 'hospital-b', 'hospital-c', 'hospital-d'])
    for (const samples of hospitals.values()) {
      expect(samples.length).to.be.above(30)
      for (const { side, height, width, image, box: { mask, at: [left, top, right, bottom] }, point } of samples) {
        expect(Math.max(height, width)).to.equal(side)
        expect(image.some((value) => value > 0)).to.equal(true)
        const columns = Array.from(mask.keys()).filter((p) => mask[p] === 1).map((p) => p % side)
        expect([Math.min(...columns), Math.max(...columns)]).to.deep.equal([left, right])
        expect(mask.findIndex((label) => label === 1)).to.be.within(top * side, (top + 1) * side - 1)
        expect(mask.lastIndexOf(1)).to.be.within(bottom * side, (bottom + 1) * side - 1)
        expect(point.at).to.deep.equal([(left + right) / 2, (top + bottom) / 2])
      }
    }
  })
})
