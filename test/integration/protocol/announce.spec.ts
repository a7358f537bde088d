import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeAnnouncement } from '../../../src/protocol/announce/announcement.ts'
import type { Announce, AnnounceEvents, Announcement } from '../../../src/protocol/announce/index.ts'
import { connect, startAnnouncer, stopAll } from './nodes.ts'

const example: Announcement = {
  round: 2,
  phase: 'exchange',
  schemaHash: 'a'.repeat(64),
  sketch: new Float32Array(64).fill(0.5),
  dice: 0.75,
  software: '0.2.0',
  protocols: ['membership/1.0.0', 'outcome/1.0.0']
}

type Node = Libp2p<{ announce: Announce, pubsub: GossipSub }>

async function next<K extends keyof AnnounceEvents> ({ services }: Node, name: K): Promise<AnnounceEvents[K]['detail']> {
  return await new Promise((resolve) => {
    services.announce.addEventListener(name, (event) => {
      resolve((event as CustomEvent<AnnounceEvents[K]['detail']>).detail)
    }, { once: true })
  })
}

/** Resolves once `node` knows that `count` others listen to the topic. */
async function subscribers ({ services }: { services: { pubsub: GossipSub } }, topic: string, count: number): Promise<void> {
  const { pubsub } = services
  await new Promise<void>((resolve) => {
    const check = (): void => {
      if (pubsub.getSubscribers(topic).length < count) return
      pubsub.removeEventListener('subscription-change', check)
      resolve()
    }
    pubsub.addEventListener('subscription-change', check)
    check()
  })
}

async function joined (from: Node, to: Node): Promise<void> {
  const { topic } = to.services.announce
  await connect(from, to)
  await Promise.all([from, to].map(async (node) => { await subscribers(node, topic, 1) }))
}

describe('announcements over gossipsub', () => {
  afterEach(stopAll)

  it('reach sites that are not connected to their author, signed by it, and say what was said', async () => {
    const [a, b, c] = await Promise.all([startAnnouncer(), startAnnouncer(), startAnnouncer()])
    await joined(a, b)
    await connect(c, b)
    await subscribers(b, b.services.announce.topic, 2)
    await subscribers(c, b.services.announce.topic, 1)
    const heard = [next(b, 'announcement'), next(c, 'announcement')]
    await a.services.announce.publish(example)
    for (const { peerId, announcement } of await Promise.all(heard)) {
      expect(peerId.toString()).to.equal(a.peerId.toString())
      expect(announcement).to.deep.equal(example)
    }
  })

  it('can be published while nobody listens, and reach who comes later when they are repeated', async () => {
    const [a, b] = await Promise.all([startAnnouncer(), startAnnouncer()])
    await a.services.announce.publish(example)
    await joined(a, b)
    const heard = next(b, 'announcement')
    await a.services.announce.publish({ ...example, round: 3 })
    expect((await heard).announcement.round).to.equal(3)
  })

  it('of a site that was started again are newer than those before', async () => {
    const [a, b] = await Promise.all([startAnnouncer(), startAnnouncer()])
    await joined(a, b)
    const heard: number[] = []
    b.services.announce.addEventListener('announcement', ({ detail }) => { heard.push(detail.announcement.round) })
    const first = next(b, 'announcement')
    await a.services.announce.publish(example)
    await first
    const { topic } = a.services.announce
    const dropped = next(b, 'dropped')
    await a.services.pubsub.publish(topic, encodeAnnouncement({ ...example, round: 1 }, 1n))
    expect(await dropped).to.include({ reason: 'old', rejected: false })
    const second = next(b, 'announcement')
    await a.services.announce.publish({ ...example, round: 4 })
    await second
    expect(heard).to.deep.equal([2, 4])
  })

  it('that come too fast are ignored, those malformed or oversize are rejected, and neither is heard', async () => {
    const [a, b] = await Promise.all([startAnnouncer(), startAnnouncer()])
    await joined(a, b)
    const { topic } = b.services.announce
    const heard: number[] = []
    b.services.announce.addEventListener('announcement', ({ detail }) => { heard.push(detail.announcement.round) })
    for (const bytes of [Uint8Array.of(1, 2, 3), new Uint8Array(4097), encodeAnnouncement({ ...example, dice: -1 }, 9n ** 15n)]) {
      const dropped = next(b, 'dropped')
      await a.services.pubsub.publish(topic, bytes)
      const { peerId, rejected } = await dropped
      expect({ peerId: peerId.toString(), rejected }).to.deep.equal({ peerId: a.peerId.toString(), rejected: true })
    }
    const dropped = next(b, 'dropped')
    for (let round = 1; round <= 4; round++) await a.services.announce.publish({ ...example, round })
    expect(await dropped).to.include({ reason: 'too many', rejected: false })
    expect(heard).to.deep.equal([1, 2, 3])
  })

  it('of two processes with one key tell both of them, and whoever hears both', async () => {
    const key = await generateKeyPair('Ed25519')
    const [one, two, b, c] = await Promise.all([startAnnouncer(key), startAnnouncer(key), startAnnouncer(), startAnnouncer()])
    await joined(b, c)
    await joined(one, b)
    await joined(two, c)
    for (const node of [b, c]) await subscribers(node, node.services.announce.topic, 2)
    const [ofOne, ofTwo, ofB] = [next(one, 'twin'), next(two, 'twin'), next(b, 'twin')]
    // Each is heard before the other speaks, as sites do that have their own times.
    for (const node of [one, two, one, two]) {
      const heard = Promise.all([next(b, 'announcement'), next(c, 'announcement')])
      await node.services.announce.publish(example)
      await heard
      // Others find more than one a second too many.
      await sleep(1_050)
    }
    for (const said of [ofOne, ofTwo, ofB]) expect((await said).peerId.toString()).to.equal(one.peerId.toString())
  })

  it('that name another author than the key that signed, in either way, are not heard', async () => {
    const [a, b] = await Promise.all([startAnnouncer(), startAnnouncer()])
    await joined(a, b)
    const heard: [string, number][] = []
    b.services.announce.addEventListener('announcement', ({ detail }) => {
      heard.push([detail.peerId.toString(), detail.announcement.round])
    })
    const signing = a.services.pubsub as unknown as { publishConfig: object }
    const honest = signing.publishConfig
    const victim = await generateKeyPair('Ed25519')
    signing.publishConfig = { ...honest, privateKey: victim }
    await a.services.announce.publish({ ...example, round: 1 })
    signing.publishConfig = { ...honest, author: peerIdFromPrivateKey(victim), key: publicKeyToProtobuf(victim.publicKey) }
    await a.services.announce.publish({ ...example, round: 2 })
    signing.publishConfig = honest
    const last = next(b, 'announcement')
    await a.services.announce.publish({ ...example, round: 3 })
    await last
    expect(heard).to.deep.equal([[a.peerId.toString(), 3]])
  })
})
