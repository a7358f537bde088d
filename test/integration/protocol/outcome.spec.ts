import { expect } from 'chai'
import { connect, nextEvent, startSite, stopAll, type ProtocolSite } from './nodes.ts'

const SIZE = 1_000

/** Both sites after an exchange whose Committed was lost: applied at the responder, in doubt at the initiator. */
async function inDoubt (): Promise<[ProtocolSite, ProtocolSite]> {
  const a = await startSite({ values: new Float32Array(SIZE).fill(0), limits: { progressMs: 500 } })
  const b = await startSite({ values: new Float32Array(SIZE).fill(4) })
  await connect(a.node, b.node)
  const answer = b.averager.answer.bind(b.averager)
  b.averager.answer = (init) => {
    const answered = answer(init)
    if ('refused' in answered) return answered
    const commit = answered.exchange.commit.bind(answered.exchange)
    answered.exchange.commit = async () => {
      await commit()
      b.averager.answer = answer
      // The responder dies here as far as the stream is concerned.
      throw new Error('cut off')
    }
    return answered
  }
  const failed = nextEvent(a.service, 'failure')
  await a.service.exchange(b.node.peerId).then(() => { throw new Error('it came through') }, () => {})
  expect(await failed).to.include({ inDoubt: true, role: 'initiator' })
  return [a, b]
}

describe('an exchange in doubt between libp2p nodes', () => {
  afterEach(stopAll)

  it('is settled by asking: what the responder has committed is applied here too, and is forgotten there', async () => {
    const [a, b] = await inDoubt()
    expect([a.averager.values[0], b.averager.values[0]]).to.deep.equal([0, 2])
    const settled = nextEvent(a.service, 'settled')
    await a.service.settle(b.node.peerId)
    expect(await settled).to.include({ partner: b.node.peerId.toString(), verdict: 'committed' })
    expect([a.averager.values[0], b.averager.values[0], a.averager.inDoubt]).to.deep.equal([2, 2, 0])
    while (b.averager.unacknowledged(a.node.peerId.toString()).length > 0) await new Promise(setImmediate)
  })

  it('is settled before the next exchange with that partner, whichever side begins it', async () => {
    const [a, b] = await inDoubt()
    expect(await a.service.exchange(b.node.peerId)).to.include({ distance: 0 })
    expect([a.averager.values[0], b.averager.values[0], a.averager.inDoubt]).to.deep.equal([2, 2, 0])
    const [c, d] = await inDoubt()
    const settled = nextEvent(c.service, 'settled')
    expect(await d.service.exchange(c.node.peerId).catch((error: unknown) => error)).to.have.property('reason', 'BUSY')
    await settled
    expect(await d.service.exchange(c.node.peerId)).to.include({ distance: 0 })
    expect([c.averager.values[0], c.averager.inDoubt]).to.deep.equal([2, 0])
  })

  it('does not keep the initiator from others', async () => {
    const [a] = await inDoubt()
    const c = await startSite({ values: new Float32Array(SIZE).fill(2) })
    await connect(a.node, c.node)
    await a.service.exchange(c.node.peerId)
    expect([a.averager.values[0], c.averager.values[0], a.averager.inDoubt]).to.deep.equal([1, 1, 1])
  })
})
