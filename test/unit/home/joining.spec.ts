import { expect } from 'chai'
import { joiningInWords } from '../../../src/home/joining.ts'

describe('what joining brings, in words', () => {
  const dice = { frozen: 0, global: 0.6, personal: 0.651 }

  it('is said in points, with what is served', () => {
    expect(joiningInWords({ ...dice, alone: 0.63, serves: 'tuned' }))
      .to.equal('joining gives this site +2.1 points; it serves the shared adapter with a part of what it learnt on top of it')
    expect(joiningInWords({ ...dice, alone: 0.66, serves: 'alone' })).to.match(/^joining gives this site −0.9 points; .* alone$/)
    expect(joiningInWords({ ...dice, alone: 0.66 })).to.include('not chosen yet')
  })

  it('is not said where nobody knows', () => {
    expect(joiningInWords(dice)).to.equal('')
  })
})
