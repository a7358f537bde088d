import { TypedEventEmitter, type MultiaddrConnection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import pino from 'pino'
import { MemberBook } from '../../../src/federation/membership/member-book.ts'
import { ConnectionLimits, SUSPECT_HANDSHAKES } from '../../../src/node/network/limits/connection-limits.ts'
import { FairShare, SHARE } from '../../../src/node/network/limits/fair-share.ts'
import { Offences } from '../../../src/node/network/limits/offences.ts'
import { RefusedPeers } from '../../../src/node/network/limits/refused-peers.ts'
import type { AdapterExchangeEvents, AdapterExchangeInit } from '../../../src/protocol/adapter-exchange/index.ts'
import { DEFAULT_LIMITS, Rates } from '../../../src/protocol/adapter-exchange/limits.ts'
import { Tally } from '../../../src/protocol/shared/tally.ts'
import { Notices } from '../../../src/rounds/notices.ts'

interface Memory {
  /** What makes a key the last to be forgotten. */
  readonly touch: (key: string) => void
  /** What only reads; a key keeps its place. */
  readonly look?: (key: string) => void
  readonly knows: (key: string) => unknown
}

const now = (): number => 0

function offences (): Memory {
  const all = new Offences({ now, onBan: () => {} })
  return {
    touch: (peer) => { all.add(peer, 10, 'x') },
    look: (peer) => { all.isBanned(peer) },
    // Ten points less than a ban for whoever is forgotten.
    knows: (peer) => {
      all.add(peer, 90, 'x')
      return all.isBanned(peer)
    }
  }
}

function refused (): Memory {
  const all = new RefusedPeers(now)
  return {
    touch: (peer) => { all.add(peer, true) },
    look: (peer) => { all.deniesDial(peer) },
    knows: (peer) => all.deniesInbound(peer)
  }
}

function suspects (): Memory {
  const gater = new ConnectionLimits({ offences: new Offences({ now, onBan: () => {} }), now, connectionsOf: () => 0 })
  const enters = (host: string): boolean =>
    gater.hooks.denyInboundConnection!({ remoteAddr: multiaddr(`/ip4/${host}/tcp/1`) } as MultiaddrConnection) === false
  const address = (key: string): string => `10.0.${Number(key) >> 8}.${Number(key) & 255}`
  return {
    touch: (key) => { for (let i = 0; i < 21; i++) gater.failed(address(key)) },
    look: (key) => { enters(address(key)) },
    knows: (key) => !Array.from({ length: SUSPECT_HANDSHAKES.burst + 1 }, () => enters(address(key))).at(-1)!
  }
}

function shares (): Memory {
  const share = new FairShare(now)
  const service = new TypedEventEmitter<AdapterExchangeEvents>()
  const averaging = share.of({ answer: () => ({ exchange: {} }) } as unknown as AdapterExchangeInit['averaging'])
  share.watch(service)
  const answer = (partner: string): object => averaging.answer({ self: 'x', partner, offer: {} as never })
  return {
    touch: (partner) => {
      for (let i = 0; i * 1_000 <= SHARE.burstMs; i++) {
        answer(partner)
        service.dispatchEvent(new CustomEvent('failure', { detail: { partner, role: 'responder' } }))
      }
    },
    knows: (partner) => 'refused' in answer(partner)
  }
}

function rates (): Memory {
  const all = new Rates()
  const limit = (partner: string): number => all.totalMs(partner, 125_000_000, DEFAULT_LIMITS)
  return { touch: (partner) => { all.observe(partner, 1_000_000, 1_000) }, look: limit, knows: (partner) => limit(partner) === 500_000 }
}

function tally (): Memory {
  const all = new Tally()
  return { touch: (peer) => { all.count(peer, 'x') }, look: (peer) => { all.of(peer) }, knows: (peer) => all.of(peer)['x'] != null }
}

function notices (): Memory {
  const all = new Notices(pino({ level: 'silent' }), now)
  const warn = (key: string): void => { all.warn(key, key) }
  return {
    touch: (key) => {
      all.over(key, 'over')
      warn(key)
    },
    look: warn,
    knows: (key) => all.list.includes(key)
  }
}

async function book (): Promise<Memory> {
  const all = await MemberBook.open('/nowhere', now)
  return {
    touch: (peerId) => { all.met({ peerId, name: peerId, role: 'member' }) },
    look: (peerId) => { all.roleOf(peerId) },
    knows: (peerId) => all.entries.some((entry) => entry.peerId === peerId)
  }
}

describe('what is remembered of others is bounded, and the one quiet longest is forgotten', () => {
  for (
    const [what, make, most] of [
      ['offences', offences, 1_024],
      ['refusals', refused, 1_024],
      ['suspect addresses', suspects, 1_024],
      ['shares of the time', shares, 1_024],
      ['rates', rates, 1_024],
      ['counts', tally, 1_024],
      ['members', book, 4_096]
    ] as const
  ) {
    it(`${what} of ${most}`, async () => {
      const { touch, look, knows } = await make()
      for (let i = 0; i < most; i++) touch(String(i))
      touch('0')
      look?.('1')
      touch(String(most))
      // The forgotten one last: to ask some memories about it is to meet it anew.
      expect([0, 2, most, 1].map((key) => Boolean(knows(String(key))))).to.deep.equal([true, true, true, false])
    })
  }

  it('notices, said again or not, in the order in which they were said', () => {
    const { touch, look, knows } = notices()
    for (let i = 0; i < 100; i++) touch(String(i))
    look!('0')
    touch('100')
    expect([0, 1, 100].map((key) => knows(String(key)))).to.deep.equal([false, true, true])
  })

  it('the book lists members from the quietest on', async () => {
    const all = await MemberBook.open('/nowhere', now)
    for (const peerId of ['a', 'b', 'c']) all.met({ peerId, name: '', role: 'member' })
    all.seen('a')
    expect(all.entries.map(({ peerId }) => peerId)).to.deep.equal(['b', 'c', 'a'])
  })
})
