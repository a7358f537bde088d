import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { createHost, type Host } from '../../../src/node/network/host.ts'
import { keyedNoise } from '../../../src/node/network/keyed-noise.ts'
import { PeerLimits } from '../../../src/node/network/limits/peer-limits.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { Notices } from '../../../src/rounds/notices.ts'

const FEDERATION = 'ab'.repeat(32)
const BULK = `/consilium/${FEDERATION}/adapter-exchange/1.0.0`
const CONTROL = `/consilium/${FEDERATION}/membership/1.0.0`
const MIB = 1_048_576

describe('the guard of a host', function () {
  this.timeout(30_000)
  const hosts: Host[] = []
  let bans: string[] = []

  afterEach(async () => {
    await Promise.all(hosts.splice(0).map(async (each) => { await each.stop() }))
    bans = []
  })

  async function host (onBan: (peer: string, reason: string) => void = () => {}, relay = false): Promise<Host> {
    const made = await createHost({
      key: await generateKeyPair('Ed25519'),
      federationId: FEDERATION,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      limits: new PeerLimits({ onBan }),
      encrypter: keyedNoise({ federationId: FEDERATION, networkKey: new Uint8Array(32), onRefused: () => {} }),
      relay,
      services: {}
    })
    hosts.push(made)
    return made
  }

  async function pair (): Promise<{ victim: Host, member: Host, connection: Connection }> {
    const victim = await host((_peer, reason) => { bans.push(reason) })
    const member = await host()
    const read = async (stream: Stream): Promise<void> => { for await (const _ of stream) { /* whatever comes */ } }
    for (const protocol of [BULK, CONTROL]) await victim.handle(protocol, read, { maxInboundStreams: 100 })
    return { victim, member, connection: await member.dial(victim.getMultiaddrs()) }
  }

  /** Sends until all is out or the line is cut. */
  async function pour (stream: Stream, total: number, size: number): Promise<void> {
    const chunk = new Uint8Array(size)
    for (let sent = 0; sent < total && stream.status === 'open'; sent += size) {
      if (stream.writeBufferLength > MIB) await new Promise((resolve) => { setTimeout(resolve, 1) })
      stream.send(chunk)
      if (sent % (64 * size) === 0) await new Promise((resolve) => { setImmediate(resolve) })
    }
  }

  async function untilCut (victim: Host, member: Host, act: () => Promise<void>): Promise<void> {
    while (bans.length === 0) await act().catch(async () => { await new Promise((resolve) => { setTimeout(resolve, 1) }) })
    while (victim.getConnections(member.peerId).length > 0) await new Promise((resolve) => { setTimeout(resolve, 5) })
    const again = member.dial(victim.getMultiaddrs()).then(async (connection) => await connection.newStream(CONTROL))
    expect(await again.catch((error: unknown) => error), 'and is not let in again').to.be.instanceOf(Error)
  }

  it('lets vectors of any size pass', async () => {
    const { victim, member, connection } = await pair()
    for (let i = 0; i < 3; i++) await pour(await connection.newStream(BULK), 20 * MIB, 65_536)
    expect(bans).to.be.empty
    expect(victim.getConnections(member.peerId)).to.have.length(1)
  })

  it('cuts off who sends much where little is expected', async () => {
    const { victim, member, connection } = await pair()
    await untilCut(victim, member, async () => { await pour(await connection.newStream(CONTROL), 20 * MIB, 65_536) })
    expect(bans).to.deep.equal(['sends more on membership/1.0.0 than any honest site'])
  })

  it('cuts off who sends very many small messages', async () => {
    const { victim, member, connection } = await pair()
    await untilCut(victim, member, async () => { await pour(await connection.newStream(BULK), 20_000, 1) })
    expect(bans).to.deep.equal(['sends more messages than any honest site'])
  })

  it('cuts off who opens stream after stream', async () => {
    const { victim, member, connection } = await pair()
    await untilCut(victim, member, async () => { (await connection.newStream(CONTROL)).abort(new Error('next')) })
    expect(bans).to.deep.equal(['opens more streams than any honest site'])
  })

  it('cuts off who floods through a relay, and neither the relay nor others behind it', async () => {
    const relayBans: string[] = []
    const relay = await host((peer) => { relayBans.push(peer) }, true)
    const { victim, member: direct } = await pair()
    await victim.dial(relay.getMultiaddrs())
    const logger = createLogger('silent')
    victim.services.relays.begin({ isCertified: () => true, notices: new Notices(logger), logger })
    while (victim.services.relays.relays.length === 0) await sleep(50)
    victim.services.relays.end()
    const at = multiaddr(`${relay.getMultiaddrs()[0]!.toString()}/p2p-circuit/p2p/${victim.peerId.toString()}`)
    const [flooder, other] = [await host(), await host()]
    const connection = await flooder.dial(at)
    await other.dial(at)
    while (bans.length === 0) await pour(await connection.newStream(CONTROL), 20 * MIB, 65_536).catch(() => { /* cut off */ })
    while (victim.getConnections(flooder.peerId).length > 0) await sleep(5)
    const again = flooder.dial(at, { force: true }).then(async (anew) => await anew.newStream(CONTROL))
    expect(await again.catch((error: unknown) => error), 'and is not let in again').to.be.instanceOf(Error)
    for (const each of [other, direct, relay]) await each.services.ping.ping(victim.peerId)
    expect(bans).to.deep.equal(['sends more on membership/1.0.0 than any honest site'])
    expect(relayBans).to.be.empty
  })

  // libp2p sends one every ten seconds, waits a minute for its answer, and cuts a connection off that has as many open as the protocol
  // may have.
  it('lets seven heartbeats wait for their answers side by side', async () => {
    const { connection } = await pair()
    const streams = []
    for (let i = 0; i < 7; i++) streams.push(await connection.newStream('/ipfs/ping/1.0.0'))
    const answers = streams.map(async (stream) => await new Promise((resolve) => {
      stream.addEventListener('message', ({ data }) => { resolve([...data.subarray()]) })
      stream.addEventListener('close', resolve)
      stream.send(Uint8Array.of(7))
    }))
    expect(await Promise.all(answers)).to.deep.equal(answers.map(() => [7]))
  })
})
