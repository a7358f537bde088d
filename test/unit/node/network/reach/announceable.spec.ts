import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { announceable } from '../../../../../src/node/network/reach/announceable.ts'

const ID = '12D3KooWA8CKjQJ1ArS2kSzpd2Aps3VZKrTqYCyJH4zC383HHV62'
const RELAYED = `/ip4/203.0.113.9/tcp/4001/p2p/${ID}/p2p-circuit/p2p/${ID}`

const said = (addresses: readonly string[], told: readonly string[] = []): string[] =>
  announceable(addresses.map((each) => multiaddr(each)), told).map(String)

describe('what a site says of its addresses', () => {
  const table: readonly (readonly [string, readonly string[], readonly string[], readonly string[]])[] = [
    ['no loopback beside an address that others reach', ['/ip4/127.0.0.1/tcp/1', '/ip4/10.0.0.5/tcp/1'], [], ['/ip4/10.0.0.5/tcp/1']],
    ['no link-local one', ['/ip4/169.254.1.2/tcp/1', '/ip6/fe80::1/tcp/1', '/ip6/2001:db8::1/tcp/1'], [], ['/ip6/2001:db8::1/tcp/1']],
    ['loopback where there is nothing else', ['/ip4/127.0.0.1/tcp/1'], [], ['/ip4/127.0.0.1/tcp/1']],
    ['a relay, and no loopback beside it', ['/ip4/127.0.0.1/tcp/1', RELAYED], [], [RELAYED]],
    ['never the unspecified address', ['/ip4/0.0.0.0/tcp/1', '/ip6/::/tcp/1', '/ip4/127.0.0.1/tcp/1'], [], ['/ip4/127.0.0.1/tcp/1']],
    [
      'what it was told, and its relays, in place of what the machine has',
      [`/ip4/172.17.0.2/tcp/4001/p2p/${ID}`, `/dns4/site.example/tcp/443/tls/ws/p2p/${ID}`, RELAYED],
      ['/dns4/site.example/tcp/443/tls/ws'],
      [`/dns4/site.example/tcp/443/tls/ws/p2p/${ID}`, RELAYED]
    ]
  ]
  for (const [what, addresses, told, expected] of table) {
    it(what, () => { expect(said(addresses, told)).to.deep.equal(expected) })
  }
})
