import { once } from 'node:events'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Connection, Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { expect } from 'chai'
import { createLibp2p } from 'libp2p'
import { ProtocolError } from '../../../src/errors.ts'
import {
  Admissions,
  type CredentialReason,
  membership,
  type Membership,
  type MembershipPort,
  type NetworkKey
} from '../../../src/protocol/membership/index.ts'
import { encodeMembershipMessage } from '../../../src/protocol/membership/messages.ts'

const FEDERATION = 'f'.repeat(64)
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const bytes = (words: string): Uint8Array => Buffer.from(words)

/**
 * A port whose rules fit on a card: a credential is good when it says so, statements are words, "liar" may not be stated, keys are
 * numbers.
 */
class Card implements MembershipPort {
  readonly said: Set<string>
  key: number
  own: string
  ready: Promise<void> = Promise.resolve()

  constructor ({ own = 'good', said = [], key = 0 }: { own?: string, said?: string[], key?: number } = {}) {
    this.own = own
    this.said = new Set(said)
    this.key = key
  }

  greeting (): ReturnType<MembershipPort['greeting']> {
    return {
      credential: bytes(this.own),
      digest: Buffer.alloc(32, [...this.said].sort().join()),
      key: { epoch: this.key, hash: new Uint8Array(32) }
    }
  }

  async judge (_peer: string, credential: Uint8Array): Promise<CredentialReason | undefined> {
    const shown = text(credential)
    return this.said.has(`no ${shown}`) ? 'REVOKED' : shown === 'old' ? 'EXPIRED' : undefined
  }

  statements (): Uint8Array[] {
    return [...this.said].map(bytes)
  }

  async learn (statements: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const news = statements.map(text).filter((each) => !this.said.has(each))
    if (news.includes('liar')) throw new ProtocolError('a lie')
    for (const each of news) this.said.add(each)
    return news.map(bytes)
  }

  async caughtUp (): Promise<void> { await this.ready }

  newerKey ({ epoch }: { epoch: number }): NetworkKey | undefined {
    return this.key > epoch ? { statement: bytes(String(this.key)), key: new Uint8Array(32) } : undefined
  }

  async learnKey ({ statement }: NetworkKey): Promise<boolean> {
    const isNew = Number(text(statement)) > this.key
    if (isNew) this.key = Number(text(statement))
    return isNew
  }
}

interface Site {
  readonly node: Libp2p<{ membership: Membership }>
  readonly card: Card
  readonly admissions: Admissions
  readonly refusals: string[]
}

describe('the membership protocol', () => {
  const running: Libp2p[] = []

  afterEach(async () => { await Promise.all(running.splice(0).map(async (node) => { await node.stop() })) })

  async function startSite (card = new Card(), establishMs = 10_000): Promise<Site> {
    const admissions = new Admissions()
    const node = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { membership: membership({ federationId: FEDERATION, membership: card, admissions, establishMs }) }
    })
    running.push(node)
    const refusals: string[] = []
    node.services.membership.addEventListener('refused', ({ detail: { by, reason } }) => { refusals.push(`${by} ${reason}`) })
    return { node, card, admissions, refusals }
  }

  async function startBare (): Promise<Libp2p> {
    const node = await createLibp2p({ transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] })
    running.push(node)
    return node
  }

  /** Resolves once both have accepted each other. */
  async function meet (from: Site, to: Site): Promise<Connection> {
    const both = [from, to].map(async ({ node }) => { await once(node.services.membership, 'established') })
    const connection = await from.node.dial(to.node.getMultiaddrs())
    await Promise.all(both)
    return connection
  }

  async function closed (connection: Connection): Promise<void> {
    if (connection.status === 'open') await once(connection, 'close')
  }

  it('lets both know what either knew, and hands the newest key to who has an older one', async () => {
    const many = Array.from({ length: 3_000 }, (_, i) => `statement ${i} ${'x'.repeat(40)}`)
    const [a, b] = [await startSite(new Card({ said: many, key: 2 })), await startSite(new Card({ said: ['mine'], key: 1 }))]
    await meet(a, b)
    expect([...b.card.said]).to.have.members([...many, 'mine'])
    expect([...a.card.said]).to.have.members([...many, 'mine'])
    expect(b.card.key).to.equal(2)
    expect(a.admissions.isEstablished(b.node.peerId)).to.equal(true)
  })

  it('refuses on what it learns in the very same greeting, with the reason on both sides', async () => {
    const [a, b] = [await startSite(new Card({ own: 'thief' })), await startSite()]
    const c = await startSite(new Card({ said: ['no thief'] }))
    await meet(a, b)
    await meet(c, b)
    while (b.refusals.length === 0 || a.card.said.size === 0) await new Promise<void>((resolve) => { setImmediate(resolve) })
    expect(b.refusals).to.deep.equal(['us REVOKED'])
    expect(b.admissions.admits(a.node.peerId)).to.equal(false)
    expect([...a.card.said], 'it was told').to.include('no thief')
    const connection = await a.node.dial(c.node.getMultiaddrs())
    await closed(connection)
    expect(a.refusals).to.include('them REVOKED')
    expect(c.refusals).to.deep.equal(['us REVOKED'])
  })

  it('takes nothing in from whom it refuses', async () => {
    const [a, b] = [await startSite(new Card({ own: 'old', said: ['gossip'] })), await startSite()]
    await closed(await a.node.dial(b.node.getMultiaddrs()))
    expect(a.refusals).to.deep.equal(['them EXPIRED'])
    expect(b.refusals).to.deep.equal(['us EXPIRED'])
    expect([...b.card.said]).to.deep.equal([])
  })

  it('ends a connection on which a lie was told', async () => {
    const [a, b] = [await startSite(new Card({ said: ['liar'] })), await startSite()]
    await closed(await a.node.dial(b.node.getMultiaddrs()))
    expect(b.refusals).to.deep.equal(['us MALFORMED'])
    expect(b.admissions.admits(a.node.peerId)).to.equal(false)
  })

  it('cuts whoever says nothing, and whoever does not speak the protocol', async () => {
    const a = await startSite(new Card(), 50)
    const mute = await startBare()
    await closed(await mute.dial(a.node.getMultiaddrs()))
    expect(a.refusals).to.deep.equal(['us LATE'])
    const bare = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()]
    })
    running.push(bare)
    const b = await startSite()
    await closed(await b.node.dial(bare.getMultiaddrs()))
    expect(b.refusals).to.deep.equal(['us NONE'])
  })

  it('lets nobody in before it has caught up', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const [a, b] = [await startSite(), await startSite()]
    b.card.ready = promise
    const meeting = meet(a, b)
    await once(b.node, 'connection:open')
    expect(b.admissions.admits(a.node.peerId)).to.equal(false)
    resolve()
    await meeting
    expect(b.admissions.admits(a.node.peerId)).to.equal(true)
  })

  it('news from one reaches who is connected to another only, a key too', async () => {
    const [a, b, c] = [await startSite(), await startSite(), await startSite()]
    await meet(a, b)
    await meet(b, c)
    a.card.said.add('news')
    a.card.key = 5
    await a.node.services.membership.spread({ statements: [bytes('news')], key: a.card.newerKey({ epoch: 0 })! })
    while (c.card.key < 5 || !c.card.said.has('news')) await new Promise<void>((resolve) => { setImmediate(resolve) })
    expect(b.card.key).to.equal(5)
  })

  it('takes no news from one that was not accepted', async () => {
    const a = await startSite()
    const bare = await startBare()
    const connection = await bare.dial(a.node.getMultiaddrs())
    const stream = await connection.newStream(a.node.services.membership.protocol)
    const frame = encodeMembershipMessage({ batch: { statements: [bytes('rumour')], last: true } })
    stream.send(Uint8Array.of(frame.length, ...frame))
    await closed(connection)
    expect(a.refusals).to.deep.equal(['us MALFORMED'])
    expect([...a.card.said]).to.deep.equal([])
  })

  it('cuts whose certificate has ended meanwhile, at the next review', async () => {
    const [a, b] = [await startSite(), await startSite()]
    const connection = await meet(a, b)
    b.card.said.add('no good')
    await Promise.all([b.node.services.membership.review(), closed(connection)])
    expect(b.refusals).to.deep.equal(['us REVOKED'])
  })
})
