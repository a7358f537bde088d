import { expect } from 'chai'
import { Pace } from '../../../src/rounds/pace.ts'
import { LEAST_SHARE } from '../../../src/settings/training.ts'

/** One round from 0 on, in which the others' median went from `from` to `to`. */
function round (
  pace: Pace,
  { ms, trainMs, from, to, own }: { ms: number, trainMs: number, from?: number, to?: number, own: number }
): number {
  pace.begin({ at: 0, median: from })
  pace.end({ at: ms, median: to, round: own, trainMs })
  return pace.share
}

describe('the pace of a site', () => {
  it('is all of a round\'s steps for one that keeps up, or knows nobody', () => {
    expect(round(new Pace(), { ms: 10_000, trainMs: 9_000, from: 3, to: 4, own: 4 })).to.equal(1)
    expect(round(new Pace(), { ms: 90_000, trainMs: 90_000, own: 1 })).to.equal(1)
    expect(round(new Pace(0.2), { ms: 90_000, trainMs: 90_000, own: 1 })).to.equal(1)
  })

  it('is less from two rounds behind on: rounds become a little shorter than the others\'', () => {
    const late = { ms: 20_000, trainMs: 18_000, from: 3, to: 5 }
    expect(round(new Pace(), { ...late, own: 4 })).to.equal(1)
    // Theirs took 10 s each; of this site's, 2 s are no training.
    expect(round(new Pace(), { ...late, own: 3 })).to.be.closeTo((10_000 / 1.2 - 2_000) / 18_000, 1e-9)
    expect(round(new Pace(), { ...late, own: 2 })).to.be.closeTo((10_000 / 1.3 - 2_000) / 18_000, 1e-9)
    expect(round(new Pace(0.5), { ...late, own: 3 })).to.be.closeTo(0.5 * (10_000 / 1.2 - 2_000) / 18_000, 1e-9)
  })

  it('is never less than the least share, also where other work takes a round\'s time alone', () => {
    expect(round(new Pace(), { ms: 200_000, trainMs: 199_000, from: 0, to: 20, own: 1 })).to.equal(LEAST_SHARE)
    expect(round(new Pace(), { ms: 20_000, trainMs: 1, from: 0, to: 2, own: 0 })).to.equal(LEAST_SHARE)
  })

  it('grows again when nobody is ahead, twofold at most and as far as it fits, and does not shrink then', () => {
    const early = { ms: 5_000, trainMs: 4_000, from: 3, to: 4, own: 4 }
    const idle = { ms: 10_000, trainMs: 10_000, from: 4, to: 4, own: 4 }
    expect(round(new Pace(0.2), idle)).to.equal(0.4)
    expect(round(new Pace(0.2), early)).to.be.closeTo(0.2 * (5_000 - 1_000) / 4_000, 1e-9)
    expect(round(new Pace(0.7), { ...early, to: 3 })).to.equal(1)
    expect(round(new Pace(0.7), { ...early, to: 5, own: 5 })).to.equal(0.7)
  })

  it('is not judged by a clock that was set back', () => {
    expect(round(new Pace(), { ms: -3_000_000, trainMs: 9_000, from: 3, to: 9, own: 4 })).to.equal(1)
    expect(round(new Pace(), { ms: 10_000, trainMs: -3_000_000, from: 3, to: 9, own: 4 })).to.equal(1)
  })

  it('is not judged by one long round among others', () => {
    const pace = new Pace()
    let at = 0
    const shares = [10_000, 10_000, 60_000].map((ms, index) => {
      pace.begin({ at, median: index })
      at += ms
      pace.end({ at, median: index === 2 ? 5 : index + 1, round: index + 1, trainMs: ms - 1_000 })
      return pace.share
    })
    expect(shares).to.deep.equal([1, 1, 1])
  })

  it('finds the share with which a site several times slower keeps up', () => {
    for (const slowness of [2, 3, 5, 8]) {
      const pace = new Pace()
      let now = 0
      let own = 0
      let shares = 0
      for (let times = 0; times < 40; times++) {
        const trainMs = 10_000 * slowness * pace.share
        pace.begin({ at: now, median: Math.floor(now / 10_000) })
        now += trainMs
        own = Math.max(own + 1, Math.floor(now / 10_000) - 3)
        pace.end({ at: now, median: Math.floor(now / 10_000), round: own, trainMs })
        if (times >= 20) shares += pace.share / 20
      }
      expect(Math.floor(now / 10_000) - own, `${slowness} times slower`).to.be.at.most(3)
      expect(shares).to.be.within(0.7 / slowness, 1.1 / slowness)
    }
  })

  it('makes up exchanges for rounds of the others that passed in one of this site\'s, and for none twice', () => {
    const pace = new Pace()
    const rounds = [undefined, 4, 5, 8, 8, 9, 10, 30, 31].map((median) => pace.rounds(median, 3))
    expect(rounds).to.deep.equal([1, 1, 1, 3, 1, 1, 1, 3, 1])
    const late = new Pace()
    late.begin({ at: 0, median: 1 })
    expect([late.rounds(3, 3), late.rounds(3, 3)]).to.deep.equal([2, 1])
  })

  it('says what a site lacks in the end: none that kept up, most of its rounds one that was slow', () => {
    const even = new Pace()
    round(even, { ms: 10_000, trainMs: 9_000, from: 3, to: 4, own: 4 })
    expect(even.owed).to.deep.equal({ rounds: 0, ms: 0 })
    const ahead = new Pace()
    round(ahead, { ms: 10_000, trainMs: 9_000, from: 3, to: 3, own: 4 })
    expect(ahead.owed).to.deep.equal({ rounds: 0, ms: 0 })
    // A round more or less is the moment at which it is asked.
    const late = new Pace()
    round(late, { ms: 20_000, trainMs: 18_000, from: 0, to: 2, own: 1 })
    expect([late.share, late.owed]).to.deep.equal([1, { rounds: 0, ms: 0 }])
    const slow = new Pace()
    round(slow, { ms: 50_000, trainMs: 40_000, from: 0, to: 5, own: 1 })
    expect(slow.owed).to.deep.equal({ rounds: 4, ms: 26_000 })
    round(slow, { ms: 10_000, trainMs: 4_000, from: 5, to: 6, own: 2 })
    expect(slow.owed.rounds).to.be.closeTo(6 - 1 - slow.share, 1e-9)
    expect(slow.owed.ms).to.be.closeTo(0.65 * 60_000 * slow.owed.rounds / 6, 1e-6)
  })

  it('says how much can be trained in a time, and nothing where the least cannot', () => {
    const pace = new Pace()
    round(pace, { ms: 50_000, trainMs: 40_000, from: 0, to: 5, own: 1 })
    expect([400_000, 40_000, 20_000, 4_001, 3_999, -1].map((ms) => pace.shareIn(ms))).to.deep.equal([1, 1, 0.5, 4_001 / 40_000, 0, 0])
  })
})
