import { expect } from 'chai'
import { leave, type LeaveInit } from '../../../src/node/leave.ts'
import { FakeClock } from './fakes.ts'

describe('leaving', () => {
  const calls: string[] = []
  beforeEach(() => { calls.length = 0 })

  function site (over: Partial<LeaveInit> = {}): LeaveInit {
    const averager = { doubts: new Map<string, string>(), paused: false }
    return {
      averager,
      peers: { connectedCount: 2 },
      foundersLeft: [],
      quorum: 1,
      clock: new FakeClock(),
      quiesce: async () => {
        averager.paused = true
        calls.push('quiesce')
      },
      depart: async () => {
        calls.push('depart')
        return { peerId: 'a', signatures: 0, quorum: 1, effective: true }
      },
      signal: new AbortController().signal,
      ...over
    }
  }
  const refusal = async (init: LeaveInit): Promise<string> =>
    await leave(init, false).then(() => { throw new Error('it left') }, (error: Error) => error.message)

  it('begins nothing more, and then says farewell', async () => {
    const init = site()
    expect(await leave(init, false)).to.deep.equal({ signatures: 0, quorum: 1, effective: true, told: 2, inDoubt: [] })
    expect(calls).to.deep.equal(['quiesce', 'depart'])
    expect(init.averager.paused).to.equal(true)
  })

  it('waits for what is in doubt; where its partner stays away it goes on as before, unless it is told to leave it', async () => {
    const doubts = new Map([['b', 'x']])
    const soon = new FakeClock()
    soon.onSleep = () => { doubts.clear() }
    expect(await leave(site({ averager: { doubts, paused: false }, clock: soon }), false)).to.deep.include({ inDoubt: [] })
    const never = { doubts: new Map([['b', 'x']]), paused: false }
    calls.length = 0
    expect(await refusal(site({ averager: never }))).to.match(/an exchange or a group with b is in doubt.*--yes/)
    expect([calls, never.paused]).to.deep.equal([['quiesce'], false])
    expect(await leave(site({ averager: never }), true)).to.deep.include({ effective: true, inDoubt: ['b'] })
  })

  it('waits for its group to end, and for what a leader has yet to say of one', async () => {
    const sealing = { isOpen: true, doubts: new Map<string, string>() }
    const clock = new FakeClock()
    clock.onSleep = () => {
      if (clock.sleeps.length === 3) Object.assign(sealing, { isOpen: false, doubts: new Map([['leader', 'g']]) })
      if (clock.sleeps.length === 6) sealing.doubts.clear()
    }
    const averager = { doubts: new Map<string, string>(), paused: false, sealing }
    expect(await leave(site({ averager, clock }), false)).to.deep.include({ inDoubt: [] })
    expect(clock.sleeps).to.have.length(6)
    sealing.doubts.set('leader', 'g')
    expect(await refusal(site({ averager }))).to.match(/a group with leader is in doubt/)
  })

  it('needs somebody to tell, and founders enough who stay', async () => {
    expect(await refusal(site({ peers: { connectedCount: 0 } }))).to.match(/no other site is there to be told/)
    expect(await refusal(site({ foundersLeft: ['a'] }))).to.match(/the others are too few to invite/)
    expect(await refusal(site({ foundersLeft: ['a', 'b'], quorum: 2 }))).to.match(/too few/)
    expect(calls).to.deep.equal([])
    expect(await leave(site({ foundersLeft: ['a', 'b'] }), false)).to.include({ effective: true })
  })

  it('of a founder whose quorum has not signed goes on as a member', async () => {
    const init = site({ depart: async () => ({ peerId: 'a', signatures: 1, quorum: 2, effective: false }) })
    expect(await leave(init, true)).to.include({ signatures: 1, quorum: 2, effective: false })
    expect(init.averager.paused).to.equal(false)
  })
})
