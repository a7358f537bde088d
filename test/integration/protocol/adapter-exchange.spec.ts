import { expect } from 'chai'
import { connect, nextEvent, startSite, stopAll, vectorSchema, type ProtocolSite } from './nodes.ts'

async function refusal (work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => undefined, (reason: unknown) => reason as Error & { reason?: string })
  return error?.reason ?? error?.name ?? 'none'
}

async function pair (
  first: Parameters<typeof startSite>[0],
  second: Parameters<typeof startSite>[0]
): Promise<[ProtocolSite, ProtocolSite]> {
  const sites: [ProtocolSite, ProtocolSite] = [await startSite(first), await startSite(second)]
  await connect(sites[0].node, sites[1].node)
  return sites
}

function random (size: number, seed: number): Float32Array {
  return Float32Array.from({ length: size }, (_, index) => Math.sin(index * 12.9898 + seed * 78.233))
}

describe('adapter-exchange between libp2p nodes', () => {
  afterEach(stopAll)

  it('leaves the weighted mean at both ends, reports it at both ends, and counts the bytes alike', async () => {
    const size = 200_000
    const [a, b] = await pair({ values: random(size, 1), mass: 3, round: 4 }, { values: random(size, 2), mass: 1, round: 5 })
    const before = { a: a.averager.snapshot(), b: b.averager.snapshot() }
    const responded = nextEvent(b.service, 'exchange')
    const report = await a.service.exchange(b.node.peerId)
    const theirs = await responded
    expect(report).to.include({ role: 'initiator', partner: b.node.peerId.toString(), partnerRound: 5, partnerMass: 1, clipped: false })
    expect(theirs).to.include({
      role: 'responder',
      partner: a.node.peerId.toString(),
      partnerRound: 4,
      partnerMass: 3,
      distance: report.distance
    })
    expect(report.bytesSent).to.equal(theirs.bytesReceived)
    expect(report.bytesReceived).to.equal(theirs.bytesSent)
    expect(report.bytesSent).to.be.within(4 * size, 4 * size + 1000)
    for (let i = 0; i < size; i += 997) {
      const mean = (3 * before.a[i]! + before.b[i]!) / 4
      expect(a.averager.values[i]).to.be.closeTo(mean, 1e-6)
      expect(b.averager.values[i]).to.be.closeTo(mean, 1e-6)
    }
    expect([a.averager.exchanges, b.averager.exchanges, a.averager.busy, b.averager.busy]).to.deep.equal([1, 1, false, false])
  })

  it('applies the difference to training that landed while the numbers were under way', async () => {
    const [a, b] = await pair({ values: random(300_000, 1) }, { values: random(300_000, 2) })
    const start = a.averager.snapshot()
    const trained = start.map((value) => value + 1)
    const sum = a.averager.values.reduce((total, value, index) => total + value + b.averager.values[index]!, 0)
    const { averager } = a
    const offer = averager.offer.bind(averager)
    averager.offer = (partner, exchangeId) => {
      const begun = offer(partner, exchangeId)
      const receive = begun.exchange.receive.bind(begun.exchange)
      begun.exchange.receive = (values) => {
        receive(values)
        if (averager.round === 1) averager.land(start, trained, 2)
      }
      return begun
    }
    await a.service.exchange(b.node.peerId)
    const after = a.averager.values.reduce((total, value, index) => total + value + b.averager.values[index]!, 0)
    expect(after).to.be.closeTo(sum + 300_000, 1)
    expect(a.averager.values[7]! - b.averager.values[7]!).to.be.closeTo(1, 1e-5)
  })

  it('refuses another schema, too old a round and a pause, each by its name and without change', async () => {
    const [a, b] = await pair({ values: random(8, 1), round: 1 }, { values: random(9, 2), schema: vectorSchema(9) })
    const refused = nextEvent(b.service, 'refusal')
    expect(await refusal(a.service.exchange(b.node.peerId))).to.equal('SCHEMA')
    expect(await refused).to.deep.equal({ partner: a.node.peerId.toString(), reason: 'SCHEMA' })
    const ahead = await startSite({ values: random(8, 3), round: 5 })
    await connect(a.node, ahead.node)
    expect(await refusal(a.service.exchange(ahead.node.peerId))).to.equal('STALE')
    expect(await refusal(ahead.service.exchange(a.node.peerId))).to.equal('STALE')
    const paused = await startSite({ values: random(8, 3) })
    paused.averager.paused = true
    await connect(a.node, paused.node)
    expect(await refusal(a.service.exchange(paused.node.peerId))).to.equal('PAUSED')
    expect(await refusal(paused.service.exchange(a.node.peerId))).to.equal('PAUSED_HERE')
    expect([...a.averager.values]).to.deep.equal([...random(8, 1)])
    expect([a.averager.exchanges, a.averager.busy]).to.deep.equal([0, false])
  })

  it('tells a third site that it is busy, with a hint when to come again', async () => {
    const [a, b] = await pair({ values: random(8, 1) }, { values: random(8, 2) })
    const open = b.averager.offer('somebody else', '5'.repeat(32))
    const error = await a.service.exchange(b.node.peerId).catch((reason: unknown) =>
      reason as Error & { reason: string, retryAfterMs: number }
    )
    expect(error).to.include({ name: 'RefusedError', reason: 'BUSY' })
    expect((error as { retryAfterMs: number }).retryAfterMs).to.be.within(50, 10_000)
    expect(await refusal(b.service.exchange(a.node.peerId))).to.equal('BUSY_HERE')
    open.exchange.abort()
    await a.service.exchange(b.node.peerId)
    expect(b.averager.exchanges).to.equal(1)
  })

  it('lets one of two simultaneous offers yield, so that exactly one exchange happens', async () => {
    const [a, b] = await pair({ values: random(100_000, 1) }, { values: random(100_000, 2) })
    const results = await Promise.all([refusal(a.service.exchange(b.node.peerId)), refusal(b.service.exchange(a.node.peerId))])
    const lower = a.node.peerId.toString() < b.node.peerId.toString() ? 0 : 1
    while (a.averager.busy || b.averager.busy) await new Promise(setImmediate)
    if (results[lower] === 'YIELDED') expect(results[1 - lower]).to.equal('none')
    else expect(results).to.include('none')
    expect(a.averager.exchanges).to.equal(b.averager.exchanges)
    expect(a.averager.exchanges).to.be.within(1, 2)
  })

  it('limits how many offers a partner may make', async () => {
    const [a, b] = await pair({ values: random(8, 1) }, { values: random(8, 2), offersPerSecond: 0.001 })
    const results: string[] = []
    for (let i = 0; i < 22; i++) results.push(await refusal(a.service.exchange(b.node.peerId)))
    expect(results.filter((result) => result === 'none')).to.have.length(20)
    expect(results.slice(-2)).to.deep.equal(['RATE_LIMITED', 'RATE_LIMITED'])
  })

  it('names a partner that cannot be reached, and stays usable', async () => {
    const [a, b] = await pair({ values: random(8, 1) }, { values: random(8, 2) })
    const { peerId } = b.node
    await b.node.stop()
    const failed = nextEvent(a.service, 'failure')
    expect(await refusal(a.service.exchange(peerId))).to.equal('UnreachableError')
    expect(await failed).to.include({ partner: peerId.toString(), role: 'initiator', reason: 'UnreachableError', inDoubt: false })
    expect(a.averager.busy).to.equal(false)
  })

  it('that becomes busy while it opens a stream withdraws, and is not blamed for it', async () => {
    const [a, b] = await pair({ values: random(8, 1) }, { values: random(8, 2) })
    let blamed = 0
    b.service.addEventListener('failure', () => { blamed++ })
    const exchanging = refusal(a.service.exchange(b.node.peerId))
    const open = a.averager.offer('somebody else', '5'.repeat(32))
    expect(await exchanging).to.equal('BUSY_HERE')
    open.exchange.abort()
    await a.service.exchange(b.node.peerId)
    expect(blamed).to.equal(0)
  })

  it('keeps the event loop free while millions of numbers are exchanged', async function () {
    this.timeout(60_000)
    const size = 3_000_000
    const [a, b] = await pair({ values: new Float32Array(size).fill(1) }, { values: new Float32Array(size).fill(2) })
    const longest: number[] = []
    // What holds the loop does so every time; a collection of other tests' garbage does not.
    for (let time = 0; time < 3; time++) longest.push(await longestTurn(async () => await a.service.exchange(b.node.peerId)))
    expect(a.averager.values[size - 1]).to.equal(1.5)
    expect(b.averager.values[size - 1]).to.equal(1.5)
    // Both nodes and the encryption share this loop; done in one go, the arithmetic alone would hold it for much longer.
    expect(Math.min(...longest)).to.be.below(100)
  })
})

/** Milliseconds of CPU time between two turns of the loop: other processes on a crowded machine do not count. */
async function longestTurn (work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let since = process.cpuUsage()
  let watching = true
  const watch = (): void => {
    const { user, system } = process.cpuUsage(since)
    longest = Math.max(longest, (user + system) / 1000)
    since = process.cpuUsage()
    if (watching) setImmediate(watch)
  }
  setImmediate(watch)
  await work()
  watching = false
  return longest
}
