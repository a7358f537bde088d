import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { DialOrder } from '../../../../../src/node/network/reach/dial-order.ts'

const ID = '12D3KooWA8CKjQJ1ArS2kSzpd2Aps3VZKrTqYCyJH4zC383HHV62'
const RELAYED = `/ip4/203.0.113.9/tcp/4001/p2p/${ID}/p2p-circuit`
const [TCP, WEB, NEAR] = ['/ip4/203.0.113.1/tcp/4001', '/ip4/203.0.113.1/tcp/4002/ws', '/ip4/10.0.0.1/tcp/4001'] as const

describe('the order in which addresses are dialled', () => {
  let now: number
  let order: DialOrder

  beforeEach(() => {
    now = 0
    order = new DialOrder(() => now)
  })

  const ordered = (...addresses: readonly string[]): string[] =>
    addresses.map((each) => ({ multiaddr: multiaddr(each) })).sort(order.compare).map((each) => each.multiaddr.toString())

  async function fails (address: string, afterMs: number): Promise<void> {
    const connect = async (): Promise<never> => {
      now += afterMs
      throw new Error('it failed')
    }
    await order.watch(multiaddr(address), connect).catch(() => {})
  }

  it('is straight before relayed, far before near, TCP before WebSocket', () => {
    expect(ordered(RELAYED, NEAR, WEB, TCP)).to.deep.equal([TCP, WEB, NEAR, RELAYED])
  })

  it('has relays before what a firewall swallowed, for ten minutes or until it answers', async () => {
    for (const address of [TCP, WEB]) await fails(address, 6_000)
    expect(ordered(TCP, WEB, NEAR, RELAYED)).to.deep.equal([NEAR, RELAYED, TCP, WEB])
    expect(await order.watch(multiaddr(`${TCP}/p2p/${ID}`), async () => 'there')).to.equal('there')
    expect(ordered(WEB, RELAYED, TCP)).to.deep.equal([TCP, RELAYED, WEB])
    now += 600_000
    expect(ordered(RELAYED, WEB)).to.deep.equal([WEB, RELAYED])
  })

  it('stays where an address was refused, which cost no time', async () => {
    await fails(TCP, 5)
    expect(ordered(RELAYED, TCP)).to.deep.equal([TCP, RELAYED])
  })
})
