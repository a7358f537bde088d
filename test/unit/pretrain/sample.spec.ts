import { expect } from 'chai'
import { PROMPTS } from '../../../scripts/pretrain/batches/batch.ts'
import { drawSample, type Sample } from '../../../scripts/pretrain/scenes/sample.ts'
import { MINIMUM_AREA } from '../../../scripts/pretrain/scenes/scene.ts'

const SIDE = 128
const area = (mask: Uint8Array): number => mask.reduce((sum, value) => sum + value, 0)

function extent (mask: Uint8Array): [number, number, number, number] {
  const inside = [...mask.keys()].filter((p) => mask[p] === 1)
  const [columns, rows] = [inside.map((p) => p % SIDE), inside.map((p) => Math.floor(p / SIDE))]
  return [Math.min(...columns), Math.min(...rows), Math.max(...columns), Math.max(...rows)]
}

describe('procedural samples', () => {
  const samples = Array.from({ length: 60 }, (_, index) => drawSample(3, index, SIDE))

  it('belong to seed and index alone, whatever was drawn before', () => {
    expect(drawSample(3, 41, SIDE)).to.deep.equal(samples[41])
    expect(drawSample(4, 41, SIDE)).to.not.deep.equal(samples[41])
    expect(samples[40]!.image).to.not.deep.equal(samples[41]!.image)
  })

  it('hold an object for every kind of prompt, inside the content', () => {
    for (const sample of samples) {
      for (const prompt of PROMPTS) {
        const { mask } = sample[prompt]
        const [, , right, bottom] = extent(mask)
        expect(area(mask)).to.be.at.least(MINIMUM_AREA)
        expect(right).to.be.below(sample.width)
        expect(bottom).to.be.below(sample.height)
      }
    }
  })

  it('mean the largest object when there is no prompt', () => {
    for (const { none, point, box } of samples) expect(area(none.mask)).to.be.at.least(Math.max(area(point.mask), area(box.mask)))
  })

  it('put the point inside its object', () => {
    for (const { point: { mask, at: [x, y] } } of samples) expect(mask[y * SIDE + x]).to.equal(1)
  })

  it('put the box around its object, off by a twentieth at most', () => {
    for (const { box } of samples) {
      const around = extent(box.mask)
      const slack = 0.05 * Math.max(around[2] - around[0], around[3] - around[1])
      for (let i = 0; i < 4; i++) expect(Math.abs(box.at[i]! - around[i]!)).to.be.at.most(slack + 1e-9)
    }
  })

  it('show the objects: the image differs across the largest one\'s outline more often than not', () => {
    const visible = samples.filter(isVisible).length
    expect(visible).to.be.above(samples.length * 0.9)
  })

  it('are square, wide and tall', () => {
    expect(samples.filter(({ height, width }) => height === SIDE && width === SIDE)).to.not.have.length(0)
    expect(samples.filter(({ width }) => width < SIDE)).to.not.have.length(0)
    expect(samples.filter(({ height }) => height < SIDE)).to.not.have.length(0)
  })
})

/** Steps of brightness across the outline are larger on average than steps elsewhere in the content. */
function isVisible ({ image, none: { mask }, height, width }: Sample): boolean {
  const sums = { across: 0, elsewhere: 0 }
  const counts = { across: 0, elsewhere: 0 }
  for (let row = 0; row < height; row++) {
    for (let column = 0; column + 2 < width; column++) {
      const p = row * SIDE + column
      const kind = mask[p] === mask[p + 2] ? 'elsewhere' : 'across'
      sums[kind] += Math.abs(image[p]! - image[p + 2]!)
      counts[kind]++
    }
  }
  return sums.across / counts.across > sums.elsewhere / counts.elsewhere
}
