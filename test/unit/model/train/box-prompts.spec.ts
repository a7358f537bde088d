import { expect } from 'chai'
import { seededRandom } from '../../../../src/common/random.ts'
import { type Fitted } from '../../../../src/dataset/index.ts'
import { maskBoxes } from '../../../../src/model/train/box-prompts.ts'

/** 60×40 pixels with a marked rectangle, corners included. */
function marked (...[x0, y0, x1, y1]: number[]): Fitted {
  const [width, height] = [60, 40]
  const mask = Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)]
    return x >= x0! && x <= x1! && y >= y0! && y <= y1! ? 2 : 0
  })
  return {
    id: 'a',
    height,
    width,
    side: 64,
    fittedHeight: height,
    fittedWidth: width,
    channels: 1,
    image: new Uint8Array(width * height),
    mask
  }
}

const empty = marked(1, 1, 0, 0)

describe('boxes around masks', () => {
  const boxes = (...args: Parameters<typeof maskBoxes>): number[] => [...maskBoxes(...args)['@boxes']!.data as Float32Array]

  it('touch the outermost marked pixels, and hold the whole image where nothing is marked', () => {
    const { '@boxes': both } = maskBoxes([marked(10, 5, 30, 25), empty])
    expect(both!.shape).to.deep.equal([2, 4])
    expect([...both!.data]).to.deep.equal([10, 5, 30, 25, 0, 0, 59, 39])
    expect(boxes([marked(7, 7, 7, 7)])).to.deep.equal([7, 7, 7, 7])
  })

  it('move each side by up to 5 % of the box with a source of chance, both ways, and stay without', () => {
    const random = seededRandom(1)
    const moved = Array.from({ length: 500 }, () => boxes([marked(10, 5, 50, 25)], random))
    const [width, height] = [40, 20]
    for (const [corner, [at, side]] of ([[10, width], [5, height], [50, width], [25, height]] as const).entries()) {
      const shifts = moved.map((box) => (box[corner]! - at) / side)
      const [least, most] = [Math.min(...shifts), Math.max(...shifts)]
      expect(least).to.be.within(-0.05 - 1e-6, -0.045)
      expect(most).to.be.within(0.045, 0.05 + 1e-6)
    }
    expect(boxes([marked(10, 5, 50, 25)])).to.deep.equal(boxes([marked(10, 5, 50, 25)]))
    expect(boxes([empty], () => 0)[2]).to.be.closeTo(59 * 0.95, 1e-4)
  })
})
