import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { DhtMode } from '../../../../../src/node/network/reach/dht-mode.ts'

const HOUR_MS = 3_600_000

describe('who serves the DHT', () => {
  let member: PeerId
  let stranger: PeerId
  let now = 0
  let connections: Connection[]
  let mode: 'client' | 'server'
  let dhtMode: DhtMode

  before(async () => {
    [member, stranger] = (await Promise.all(['', ''].map(async () => await generateKeyPair('Ed25519')))).map(peerIdFromPrivateKey) as [
      PeerId, PeerId
    ]
  })

  beforeEach(() => {
    now = 0
    mode = 'client'
    connections = []
    dhtMode = new DhtMode({ connectionManager: { getConnections: () => connections } }, {
      dht: () => ({ getMode: () => mode, setMode: async (wanted) => { mode = wanted } }),
      isMember: (peer) => peer.equals(member),
      now: () => now
    })
  })

  function connected (direction: 'inbound' | 'outbound', remotePeer: PeerId, address = '/ip4/10.0.0.5/tcp/50000'): Connection {
    return { direction, remotePeer, remoteAddr: multiaddr(address), status: 'open' } as Connection
  }

  function modeWith (...open: Connection[]): string {
    connections = open
    dhtMode.look()
    return mode
  }

  it('is nobody whom no other member has dialled without a relay', () => {
    expect(modeWith()).to.equal('client')
    expect(modeWith(connected('outbound', member))).to.equal('client')
    expect(modeWith(connected('inbound', stranger))).to.equal('client')
    expect(modeWith(connected('inbound', member, `/ip4/10.0.0.5/tcp/1/p2p/${stranger.toString()}/p2p-circuit`))).to.equal('client')
  })

  it('is whom a member has dialled, as long as it stays and for an hour', () => {
    expect(modeWith(connected('outbound', stranger), connected('inbound', member))).to.equal('server')
    now = 10 * HOUR_MS
    expect(modeWith(connected('inbound', member))).to.equal('server')
    now += HOUR_MS - 1
    expect(modeWith()).to.equal('server')
    now += 1
    expect(modeWith()).to.equal('client')
  })
})
