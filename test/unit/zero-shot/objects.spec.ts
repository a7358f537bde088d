import { expect } from 'chai'
import { filled, largestPiece, widened } from '../../../bench/zero-shot/objects.ts'
import { seededRandom } from '../../../src/common/random.ts'

/** Two pieces that touch at a corner alone, and one at the other end of a row. */
const LABELS = Uint8Array.from([
  ...[0, 1, 0, 0, 2],
  ...[0, 1, 1, 0, 0],
  ...[0, 0, 0, 1, 0]
])

describe('objects of the zero-shot bench', () => {
  it('are pieces whose pixels touch at their sides, and not around the edge', () => {
    const piece = largestPiece(LABELS, 5)!
    expect([...piece.mask]).to.deep.equal([0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0])
    expect(piece.box).to.deep.equal([1, 0, 2, 1])
    expect(largestPiece(new Uint8Array(6), 3)).to.equal(undefined)
    expect(largestPiece(Uint8Array.of(0, 0, 1, 1, 0, 0), 3)!.box).to.deep.equal([2, 0, 2, 0])
  })

  it('have boxes that grow within the image alone', () => {
    const random = seededRandom(1)
    for (let i = 0; i < 100; i++) {
      const [x0, y0, x1, y1] = widened([1, 0, 2, 1], 5, random, 5, 3)
      expect([x0 >= 0 && x0 <= 1, y0, x1 >= 2 && x1 <= 4, y1 >= 1 && y1 <= 2]).to.deep.equal([true, 0, true, true])
    }
    expect(widened([1, 0, 2, 1], 0, random, 5, 3)).to.deep.equal([1, 0, 2, 1])
    expect([...filled([1, 0, 2, 1], 4, 3)]).to.deep.equal([0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0])
  })
})
