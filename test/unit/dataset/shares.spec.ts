import { expect } from 'chai'
import fc from 'fast-check'
import { seededRandom } from '../../../src/common/random.ts'
import { augment, EVERYTHING, fitSlice, toClassTargets, toImages, toTargets } from '../../../src/dataset/index.ts'
import { labelShares } from '../../../src/dataset/transforms/shares.ts'
import { defaultTrainSettings } from '../../../src/settings/training.ts'
import { fitSplit } from '../../../src/site-model/split.ts'
import { fitted, pixels, slice } from './fixtures.ts'

const sides = fc.integer({ min: 1, max: 40 })

describe('targets by area', () => {
  it('give every label its area, and no pixel more than itself', () => {
    fc.assert(fc.property(sides, sides, sides, sides, fc.integer({ min: 0 }), (h, w, height, width, seed) => {
      const random = seededRandom(seed)
      const labels = Uint8Array.from({ length: h * w }, () => Math.floor(random() * 3))
      const shares = labelShares(labels, { height: h, width: w }, height, width)
      for (const label of [1, 2]) {
        const area = labels.filter((each) => each === label).length / (h * w)
        const found = (shares.get(label) ?? new Uint8Array()).reduce((sum, share) => sum + share, 0) / 255 / (height * width)
        expect(found).to.be.closeTo(area, 0.5 / 255 + 1e-6)
      }
      for (let i = 0; i < height * width; i++) {
        expect((shares.get(1)?.[i] ?? 0) + (shares.get(2)?.[i] ?? 0)).to.be.at.most(256)
      }
    }))
  })

  it('keep a line that the nearest pixels lose', async () => {
    const mask = pixels(128, 128, (x) => x === 64 ? 1 : 0)
    const thin = slice('s', 0, { height: 128, width: 128, image: mask, mask })
    const sum = (targets: Float32Array): number => targets.reduce((total, share) => total + share, 0)
    expect(sum(toTargets([await fitSlice(thin, 32)], 32))).to.equal(0)
    const byArea = await fitSlice(thin, 32, 'area')
    expect(sum(toTargets([byArea], 32))).to.be.closeTo(32 / 4, 0.1)
    expect(sum(toTargets([byArea], 8))).to.be.closeTo(8 / 16, 0.01)
    expect(sum(toClassTargets([byArea], 32, EVERYTHING).targets)).to.be.closeTo(32 / 4, 0.1)
  })

  it('are what LiteMedSAM trains for by default, in every training image, and sam-tiny is not', async () => {
    const mask = pixels(128, 128, (x) => x === 64 ? 1 : 0)
    const slices = ['a', 'b', 'c', 'd'].map((subject) => slice(subject, 0, { height: 128, width: 128, image: mask, mask }))
    const areas = async (name: string): Promise<boolean[]> => {
      const { train, choice } = await fitSplit({ slices }, 32, { ...defaultTrainSettings({ name }), seed: 1 })
      return [...train, ...choice.train].map((each) => toTargets([each], 32).some((share) => share > 0))
    }
    expect(await areas('litemedsam')).to.have.length.above(2).and.satisfy((all: boolean[]) => all.every(Boolean))
    expect(await areas('sam-tiny')).to.not.include(true)
  })

  it('are those of the nearest pixels where nothing is resized', async () => {
    const mask = pixels(24, 24, (x, y) => (x * y) % 3)
    const same = slice('s', 0, { height: 24, width: 24, image: mask, mask })
    expect(toTargets([await fitSlice(same, 24, 'area')], 24)).to.deep.equal(toTargets([await fitSlice(same, 24)], 24))
  })

  it('move with the mask when images are mirrored and turned', () => {
    fc.assert(fc.property(fc.integer({ min: 0 }), (seed) => {
      const random = seededRandom(seed)
      const mask = pixels(5, 8, () => random() < 0.5 ? 1 : 0)
      const moved = augment({ ...fitted(5, 8, 8, { image: mask, mask }), shares: new Map([[1, mask.map((label) => label * 255)]]) }, random)
      expect(moved.shares!.get(1)).to.deep.equal(moved.mask.map((label) => label * 255))
    }))
  })
})

describe('pixels from darkest to brightest', () => {
  it('are 0 to 1 in every image for itself, beyond which there is 0', () => {
    const dim = fitted(2, 4, 4, { image: Uint8Array.of(10, 20, 30, 60, 10, 10, 10, 10) })
    const even = fitted(2, 4, 4, { image: new Uint8Array(8).fill(7) })
    const images = toImages([dim, even], 'minmax')
    const first = [...images.subarray(0, 12)].map((value) => Number(value.toFixed(4)))
    expect(first).to.deep.equal([0, 0, 0, 0.2, 0.2, 0.2, 0.4, 0.4, 0.4, 1, 1, 1])
    expect(images.subarray(24).every((value) => value === 0)).to.equal(true)
  })
})
