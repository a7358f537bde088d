import { expect } from 'chai'
import fc from 'fast-check'
import { diceScore, hausdorff95, iouScore } from '../../../../src/model/scores/overlap.ts'

/** By the definition, all pairs of border pixels. */
function bruteForce (a: number[], b: number[], height: number, width: number): number {
  const at = (mask: number[], y: number, x: number): boolean => y >= 0 && x >= 0 && y < height && x < width && mask[y * width + x]! > 0
  const border = (mask: number[]): [number, number][] => mask.flatMap((_, i): [number, number][] => {
    const [y, x] = [Math.floor(i / width), i % width]
    return at(mask, y, x) && !(at(mask, y - 1, x) && at(mask, y + 1, x) && at(mask, y, x - 1) && at(mask, y, x + 1)) ? [[y, x]] : []
  })
  const [p, t] = [border(a), border(b)]
  if (p.length === 0 || t.length === 0) return p.length === t.length ? 0 : NaN
  const nearest = (from: [number, number][], to: [number, number][]): number[] =>
    from.map(([y, x]) => Math.min(...to.map(([v, u]) => Math.hypot(v - y, u - x))))
  const sorted = [...nearest(p, t), ...nearest(t, p)].sort((x, y) => x - y)
  const position = 0.95 * (sorted.length - 1)
  const low = Math.floor(position)
  return sorted[low]! + ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!) * (position - low)
}

const masks = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom(0.05, 0.5, 0.95)).chain(
  ([height, width, density]) => {
    const pixel = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value < density ? 1 : 0)
    const mask = fc.array(pixel, { minLength: height * width, maxLength: height * width })
    return fc.record({ height: fc.constant(height), width: fc.constant(width), a: mask, b: mask })
  }
)

describe('metrics', () => {
  it('HD95 equals the definition on random masks', () => {
    fc.assert(fc.property(masks, ({ height, width, a, b }) => {
      const expected = bruteForce(a, b, height, width)
      const actual = hausdorff95(a, b, height, width)
      if (Number.isNaN(expected)) expect(actual).to.be.NaN
      else expect(actual).to.be.closeTo(expected, 1e-9)
    }), { numRuns: 300 })
  })

  it('HD95 is the shift of a shifted square and ignores 5 % of outliers', () => {
    const square = (left: number): number[] =>
      Array.from({ length: 40 * 40 }, (_, i) => i % 40 >= left && i % 40 < left + 10 && i >= 400 && i < 800 ? 1 : 0)
    expect(hausdorff95(square(5), square(8), 40, 40)).to.be.closeTo(3, 1e-9)
    const speck = square(5)
    speck[39 * 40 + 39] = 1
    expect(hausdorff95(speck, square(5), 40, 40)).to.equal(0)
  })

  it('Dice and IoU know empty masks and any label above 0', () => {
    expect([diceScore([0, 0], [0, 0]), iouScore([0, 0], [0, 0])]).to.deep.equal([1, 1])
    expect([diceScore([0, 1], [0, 0]), iouScore([0, 0], [1, 0])]).to.deep.equal([0, 0])
    expect(diceScore([1, 1, 0, 0], [2, 0, 3, 0])).to.equal(0.5)
    expect(iouScore([1, 1, 0, 0], [2, 0, 3, 0])).to.be.closeTo(1 / 3, 1e-12)
  })
})
