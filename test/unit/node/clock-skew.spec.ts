import { expect } from 'chai'
import { ClockSkew } from '../../../src/rounds/clock-skew.ts'
import { quietNotices } from './fakes.ts'

const NOW = 1_800_000_000_000
const HOUR = 3_600_000

describe('a clock that is wrong', () => {
  it('of one other site: the two are apart, and it is over when they go together', () => {
    const notices = quietNotices()
    const clocks = new ClockSkew(notices)
    clocks.heard('b', NOW - 4_000, NOW)
    expect(notices.standing).to.deep.equal([])
    clocks.heard('b', NOW + 2 * HOUR, NOW)
    expect(notices.standing).to.deep.equal([
      "the clock of site b is 2.0 hours ahead of this site's: set the one that is wrong, best by NTP, and start that site again"
    ])
    clocks.heard('b', NOW, NOW)
    expect(notices.standing).to.deep.equal([])
  })

  it('of this site: the others agree with each other', () => {
    const notices = quietNotices()
    const clocks = new ClockSkew(notices)
    for (const site of ['b', 'c', 'd']) clocks.heard(site, NOW - 2 * HOUR, NOW)
    expect(notices.standing.filter((each) => each.startsWith('the clock of this site is 2.0 hours ahead of those'))).to.have.length(1)
    for (const site of ['c', 'd', 'b', 'c']) clocks.heard(site, NOW, NOW)
    expect(notices.standing).to.deep.equal([])
  })

  it('of one of several: that one is named, and this site is not', () => {
    const notices = quietNotices()
    const clocks = new ClockSkew(notices)
    for (const site of ['b', 'c', 'd']) clocks.heard(site, NOW, NOW)
    clocks.heard('c', NOW - 20 * 60_000, NOW)
    expect(notices.standing).to.have.length(1)
    expect(notices.standing[0]).to.match(/^the clock of site c is 20 minutes behind those of the others: ask the people there/)
  })
})
