import { expect } from 'chai'
import { saySpread } from '../../../src/rounds/label-free.ts'

describe('what a site says of a label-free round', () => {
  it('is that its images look alike, from the fourth round on, until they do no more or rounds look at labels', () => {
    const said: string[] = []
    const notices = {
      warn: (kind: string, text: string) => { said.push(`${kind}: ${text.slice(0, 53)}`) },
      over: (kind: string) => { said.push(`${kind} over`) }
    }
    for (const [round, spread] of [[3, 0.001], [4, 0.001], [5, 0.02], [6, undefined]] as const) saySpread(notices, round, spread)
    expect(said).to.deep.equal(
      ['collapse over', 'collapse: after round 4 all images of this site look alike to t', 'collapse over', 'collapse over']
    )
  })
})
