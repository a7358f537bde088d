import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import {
  ConnectionLimits,
  CONNECTS,
  HANDSHAKES,
  hostOf,
  MAX_PER_PEER,
  SUSPECT_HANDSHAKES
} from '../../../../src/node/network/limits/connection-limits.ts'
import { Offences } from '../../../../src/node/network/limits/offences.ts'
import { OFFENCE, PeerLimits } from '../../../../src/node/network/limits/peer-limits.ts'

async function somePeer (): Promise<PeerId> {
  return peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
}

const from = (address: string): MultiaddrConnection => ({ remoteAddr: multiaddr(address) }) as MultiaddrConnection

describe('offences', () => {
  let now = 0
  let bans: [string, string, number][] = []
  let offences: Offences

  beforeEach(() => {
    now = 0
    bans = []
    offences = new Offences({ now: () => now, onBan: (...ban) => { bans.push(ban) } })
  })

  it('ban at a hundred points, twice as long each time, up to an hour', () => {
    for (let i = 0; i < 3; i++) offences.add('a', 25, 'lies')
    expect(offences.isBanned('a')).to.equal(false)
    offences.add('a', 25, 'lies')
    expect(bans).to.deep.equal([['a', 'lies', 60_000]])
    expect([offences.isBanned('a'), offences.isBanned('b')]).to.deep.equal([true, false])
    now = 60_000
    expect(offences.isBanned('a')).to.equal(false)
    for (let i = 0; i < 10; i++) {
      offences.add('a', 100, 'lies')
      now += 3_600_000
    }
    expect(bans.map(([, , ms]) => ms)).to.deep.equal([
      60_000,
      120_000,
      240_000,
      480_000,
      960_000,
      1_920_000,
      3_600_000,
      3_600_000,
      3_600_000,
      3_600_000,
      3_600_000
    ])
  })

  it('are forgiven with time, so that rare faults ban nobody', () => {
    for (let i = 0; i < 1_000; i++) {
      offences.add('a', 10, 'stalls')
      now += 2_000
    }
    expect(bans).to.be.empty
  })

  it('are remembered for the 1,024 peers that offended last', () => {
    offences.add('first', 99, 'x')
    for (let i = 0; i < 1_024; i++) offences.add(`${i}`, 1, 'x')
    offences.add('first', 1, 'x')
    expect(bans).to.be.empty
  })
})

describe('who may connect', () => {
  let now = 0
  let open = 0
  let banned: string[] = []
  let gater: ConnectionLimits

  beforeEach(() => {
    now = 0
    open = 0
    const offences = new Offences({ now: () => now, onBan: (peer) => { banned.push(peer) } })
    banned = []
    gater = new ConnectionLimits({ offences, now: () => now, connectionsOf: () => open })
    gaterOffences = offences
  })
  let gaterOffences: Offences

  const handshakes = async (address: string, count: number): Promise<number> => {
    let entered = 0
    for (let i = 0; i < count; i++) if (await gater.hooks.denyInboundConnection!(from(address)) === false) entered++
    return entered
  }

  it('is limited by address, whatever the port', async () => {
    let entered = 0
    for (let port = 1; port <= 1_000; port++) {
      if (await gater.hooks.denyInboundConnection!(from(`/ip4/10.0.0.1/tcp/${port}`)) === false) entered++
    }
    expect(entered).to.equal(HANDSHAKES.burst)
    expect(await handshakes('/ip4/10.0.0.2/tcp/1', 1)).to.equal(1)
    now += 1_000
    expect(await handshakes('/ip4/10.0.0.1/tcp/1', 1_000)).to.equal(HANDSHAKES.perSecond)
  })

  it('is limited much more where handshakes fail or a banned peer hides', async () => {
    for (let i = 0; i < 21; i++) gater.failed('10.0.0.1')
    expect(await handshakes('/ip4/10.0.0.1/tcp/1', 100)).to.equal(SUSPECT_HANDSHAKES.burst)
    const peer = await somePeer()
    gaterOffences.add(peer.toString(), 100, 'floods')
    expect(await gater.hooks.denyInboundEncryptedConnection!(peer, from('/ip4/10.0.0.9/tcp/1'))).to.equal(true)
    expect(await gater.hooks.denyDialPeer!(peer)).to.equal(true)
    expect(await handshakes('/ip4/10.0.0.9/tcp/1', 100)).to.equal(SUSPECT_HANDSHAKES.burst)
    now += 600_000
    expect(await handshakes('/ip4/10.0.0.9/tcp/1', 1_000)).to.equal(HANDSHAKES.burst)
  })

  it('is limited by peer: how many at once, how often', async () => {
    const peer = await somePeer()
    const tries = async (): Promise<boolean> => await gater.hooks.denyInboundEncryptedConnection!(peer, from('/ip4/10.0.0.1/tcp/1'))
    for (let i = 0; i < CONNECTS.burst; i++) expect(await tries()).to.equal(false)
    for (let i = 0; i < 10; i++) expect(await tries()).to.equal(true)
    expect(banned).to.deep.equal([peer.toString()])
    const other = await somePeer()
    open = MAX_PER_PEER
    expect(await gater.hooks.denyInboundEncryptedConnection!(other, from('/ip4/10.0.0.1/tcp/1'))).to.equal(true)
    open--
    expect(await gater.hooks.denyInboundEncryptedConnection!(other, from('/ip4/10.0.0.1/tcp/1'))).to.equal(false)
  })

  it('counts an IPv6 network of 64 bits as one address', () => {
    const hosts = ['/ip6/2001:db8:1:2::1/tcp/1', '/ip6/2001:db8:1:2:3:4:5:6/tcp/2'].map((address) => hostOf(from(address)))
    expect(new Set(hosts).size).to.equal(1)
    expect(hostOf(from('/ip6/2001:db8:1:3::1/tcp/1'))).not.to.equal(hosts[0])
    expect(hostOf(from('/ip6/::1/tcp/1'))).to.equal('0:0:0:0')
  })
})

describe('guard', () => {
  it('closes the connections of whom it bans, and says who and why', async () => {
    const said: unknown[] = []
    const guard = new PeerLimits({ onBan: (...ban) => { said.push(ban) }, now: () => 0 })
    const peer = await somePeer()
    const aborted: string[] = []
    guard.attach({
      getConnections: (id) =>
        id?.equals(peer) === true
          ? [{
              abort: ({ message }: Error) => {
                aborted.push(message)
              }
            } as Connection]
          : []
    })
    for (let i = 0; i < 4; i++) guard.offence(peer.toString(), OFFENCE.malformed, 'sends nonsense')
    expect(aborted).to.deep.equal(['cut off because it sends nonsense'])
    expect(said).to.deep.equal([[peer.toString(), 'sends nonsense', 60_000]])
    expect(guard.isBanned(peer.toString())).to.equal(true)
  })
  it('bans a member, whatever key it has: the next one is cut off with it, and has no points of its own', async () => {
    const [one, next, other] = [await somePeer(), await somePeer(), await somePeer()]
    const roots = new Map([[next.toString(), one.toString()]])
    const guard = new PeerLimits({ onBan: () => {}, now: () => 0, rootOf: (peer) => roots.get(peer) ?? peer })
    const cut: string[] = []
    const connections = [one, next, other].map((remotePeer) => ({ remotePeer, abort: () => { cut.push(remotePeer.toString()) } }))
    guard.attach({ getConnections: (id) => connections.filter(({ remotePeer }) => id?.equals(remotePeer) ?? true) as never })
    for (let i = 0; i < 4; i++) guard.offence((i < 2 ? one : next).toString(), OFFENCE.malformed, 'sends nonsense')
    expect(cut).to.have.members([one.toString(), next.toString()])
    expect([one, next, other].map((peer) => guard.isBanned(peer.toString()))).to.deep.equal([true, true, false])
  })
})
