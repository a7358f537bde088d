import { expect } from 'chai'
import type { Steps } from '../../../src/gossip-aggregation/unmixed.ts'
import { Arrival } from '../../../src/rounds/arrival.ts'
import { finalSteps, imagesSeen, missedBefore, recoveredSteps } from '../../../src/rounds/participation.ts'
import { quietNotices } from './fakes.ts'

const steps = (trained: number, arrived: number, lost = 0): Steps => ({ trained, arrived, lost })

describe('steps that arrive nowhere', () => {
  it('are said after three rounds, with the reason, and no longer once they did', () => {
    const notices = quietNotices()
    const arrival = new Arrival(notices)
    const why = (): string => 'no other site can be reached'
    for (const trained of [16, 32]) arrival.ended(steps(trained, 0), why)
    expect(notices.list).to.deep.equal([])
    arrival.ended(steps(48, 0), why)
    expect(notices.list[0]).to.match(/last 3 rounds \(48 steps\) has reached no other site: no other site can be reached; it is kept/)
    arrival.ended(steps(64, 64), why)
    for (const trained of [80, 96]) arrival.ended(steps(trained, 64), why)
    expect(notices.list).to.have.length(1)
  })

  it('that are lost are waited for by nobody', () => {
    const notices = quietNotices()
    const arrival = new Arrival(notices)
    for (let round = 0; round < 5; round++) arrival.ended(steps(48, 32, 16), () => 'x')
    expect(notices.list).to.deep.equal([])
  })
})

describe('participation', () => {
  it('counts images once, and at the end what arrived nowhere as lost', () => {
    expect(imagesSeen(steps(3, 0), 40, { batchSize: 2 })).to.equal(6)
    expect(imagesSeen(steps(30, 0), 40, { batchSize: 2 })).to.equal(40)
    expect(finalSteps(steps(48, 32))).to.deep.equal(steps(48, 32, 16))
  })

  it('counts the rounds that had passed before a site came', () => {
    expect([missedBefore([]), missedBefore([{ round: 1 }, { round: 9 }]), missedBefore([{ round: 18 }, { round: 19 }])])
      .to.deep.equal([0, 0, 17])
  })

  it('goes on after a restart, and loses what no checkpoint holds and nobody else has', () => {
    expect(recoveredSteps(undefined, undefined)).to.deep.equal(steps(0, 0))
    expect(recoveredSteps(steps(48, 32), steps(32, 32))).to.deep.equal(steps(48, 32))
    expect(recoveredSteps(undefined, steps(48, 32))).to.deep.equal(steps(48, 32, 16))
    expect(recoveredSteps(steps(32, 16), steps(64, 48, 0))).to.deep.equal(steps(64, 48, 16))
  })
})
