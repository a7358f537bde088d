import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Sites } from '../sites.ts'
import { Liar } from './liar.ts'

describe('a partner that answers, but never ends an exchange', function () {
  this.timeout(600_000)
  let sites: Sites
  const members: Liar[] = []
  const { signal } = new AbortController()

  afterEach(async () => {
    await Promise.all(members.splice(0).map(async (each) => { await each.close() }))
    await sites.remove()
  })

  it('costs its time-out once, is told of, and exchanges with others go on', async () => {
    sites = await Sites.create(['a', 'b', 'x'])
    for (const name of ['a', 'b', 'x']) {
      members.push(await Liar.open(sites, name, { bootstrap: members[0]?.network.addresses ?? [] }))
    }
    const [a, b, x] = members as [Liar, Liar, Liar]
    while (a.network.peers.connectedCount < 2) await sleep(50)
    const answer = x.averager.answer.bind(x.averager)
    x.averager.answer = (offer) => {
      const answered = answer(offer)
      if ('exchange' in answered) answered.exchange.commit = async () => await new Promise(() => {})
      return answered
    }
    const outcomeOf = async (partner: Liar): Promise<string> =>
      await a.network.exchange(partner.peerId, { signal }).then(() => 'committed', (error: Error) => `${error.name}: ${error.message}`)
    expect(await outcomeOf(b)).to.equal('committed')
    expect(await outcomeOf(x)).to.contain('TimeoutError')
    const began = performance.now()
    expect(await outcomeOf(x)).to.equal('RefusedError: the peer refused: BUSY')
    // No time-out, which takes ten seconds at least.
    expect(performance.now() - began).to.be.below(8_000)
    for (let time = 0; time < 3; time++) expect(await outcomeOf(b)).to.equal('committed')
    const said = a.notices.list.filter((each) => each.includes('cost this site too much time'))
    expect(said).to.have.length(1)
    expect(said[0]).to.include(x.peerId)
  })
})
