import { expect } from 'chai'
import { inTurn } from '../../../src/model/pseudo/maker.ts'

describe('images that a round makes pseudo-masks of', () => {
  const keys = ['a', 'b', 'c', 'd', 'e']
  const rounds = (most?: number): string[] => [1, 2, 3].map((round) => inTurn(keys, round, most).join(''))

  it('are the next ones, and after the last the first again', () => {
    expect(rounds(2)).to.deep.equal(['ab', 'cd', 'ea'])
    expect(rounds(5)).to.deep.equal(['abcde', 'abcde', 'abcde'])
    expect(rounds(), 'all without a bound').to.deep.equal(rounds(5))
    expect(inTurn(keys, 1, 7).sort()).to.deep.equal(keys)
    expect(inTurn([], 3, 2)).to.deep.equal([])
  })
})
