import { expect } from 'chai'
import { DialSchedule, longestPauseMs } from '../../../../src/node/network/dial-schedule.ts'

describe('DialSchedule', () => {
  it('doubles its pauses up to the limit and starts again after a success', () => {
    const schedule = new DialSchedule({ firstMs: 1_000, lastMs: 60_000 }, () => 0.5)
    expect(schedule.isDue(0)).to.equal(true)
    let now = 0
    const pauses: number[] = []
    for (let i = 0; i < 9; i++) {
      schedule.failed(now)
      let pause = 0
      while (!schedule.isDue(now + pause)) pause += 500
      pauses.push(pause)
      now += pause
    }
    expect(pauses).to.deep.equal([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
    schedule.succeeded()
    expect(schedule.isDue(now)).to.equal(true)
    expect(schedule.failures).to.equal(0)
  })

  it('dials a few absent ones every minute, however long their line was gone, and many seldomer', () => {
    const bounds = { leastMs: 60_000, mostMs: 300_000 }
    expect([1, 60, 120, 1_024].map((absent) => longestPauseMs(absent, bounds))).to.deep.equal([60_000, 60_000, 120_000, 300_000])
    const schedule = new DialSchedule({ firstMs: 1_000, lastMs: 300_000 }, () => 0.999)
    const day = 86_400_000
    let now = 0
    while (now < day) {
      now += 1_000
      // A dial into nothing lasts 30 s.
      if (schedule.isDue(now)) schedule.failed(now += 30_000, longestPauseMs(3, bounds))
    }
    expect(schedule.isDue(now + 120_000 - 30_000)).to.equal(true)
  })

  it('spreads the pauses by a quarter either way', () => {
    for (const [draw, pause] of [[0, 750], [0.999_999, 1_250]] as const) {
      const schedule = new DialSchedule({ firstMs: 1_000, lastMs: 60_000 }, () => draw)
      schedule.failed(0)
      expect(schedule.isDue(pause - 1)).to.equal(false)
      expect(schedule.isDue(pause)).to.equal(true)
    }
  })
})
