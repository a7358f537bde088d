import { expect } from 'chai'
import { labelMapOf } from '../../../src/dataset/index.ts'
import { scoreCaseInModes, type CaseOutcome } from '../../../src/site-model/evaluate/score-cases.ts'
import { pixels, slice } from '../dataset/fixtures.ts'
import { createLearner } from '../model/learners.ts'

/** Slices of 32×64 voxels of 2×1×4 mm, shown as 64×64 square pixels; the second has no foreground. */
const [HEIGHT, WIDTH] = [32, 64]
const voxels = { axis: 'axial', height: HEIGHT, width: WIDTH, spacing: [4, 2, 1] } as const
const slices = [1, 0].map((label, index) => slice('a', index, {
  height: 64,
  width: 64,
  image: pixels(64, 64, (x, y) => 40 + 3 * x + y % 5),
  mask: pixels(64, 64, (x, y) => label === 1 && x < 10 && y < 20 ? 1 : 0),
  voxels
}))

const labels = labelMapOf([{ name: 'foreground', values: [1, 2] }, { name: 'one', value: 1 }, { name: 'two', value: 2 }])

describe('a case in three modes', function () {
  this.timeout(60_000)

  async function outcome (needsBox: boolean, some = slices): Promise<CaseOutcome> {
    const learner = await createLearner({ train: { prompt: 'box' } })
    try {
      const { personal } = await scoreCaseInModes({ patient: 'a', name: 'a', voxels, slices: some }, {
        learner,
        adapter: learner.initialAdapter(),
        tolerance: 2,
        labels,
        needsBox
      })
      return personal
    } finally {
      await learner.dispose()
    }
  }

  it('counts voxels, not the pixels that are shown, in every class', async () => {
    const { scores, images } = await outcome(false)
    expect(images.map(({ id }) => id)).to.deep.equal([slices[0]!.id])
    expect(scores.map((each) => [each.class, each.truthVolume])).to.deep.equal([['foreground', 0.8], ['one', 0.8], ['two', 0]])
    expect(scores[0]!.diagonal).to.be.closeTo(Math.hypot(2 * 4, HEIGHT * 2, WIDTH), 1e-9)
    expect({ ...scores[1], class: 'foreground' }).to.deep.equal(scores[0])
  })

  it('asks nothing where there is no box to ask with', async () => {
    const volume = ({ scores }: CaseOutcome): number => scores[0]!.predictedVolume
    const [asked, boxed, first] = [await outcome(false), await outcome(true), await outcome(true, slices.slice(0, 1))]
    // A model of random weights marks something wherever it is asked.
    expect(volume(asked)).to.be.greaterThan(volume(boxed))
    expect(volume(boxed)).to.equal(volume(first)).and.be.greaterThan(0)
  })
})
