import { generateKeyPair } from '@libp2p/crypto/keys'
import { TopicValidatorResult, type GossipSubEvents, type Message, type TopicValidatorFn } from '@libp2p/gossipsub'
import { TypedEventEmitter, type PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import { InputError } from '../../../src/errors.ts'
import { AnnounceService } from '../../../src/protocol/announce/announce.ts'
import { decodeAnnouncement, encodeAnnouncement, type Announcement } from '../../../src/protocol/announce/announcement.ts'

const example: Announcement = {
  round: 2,
  phase: 'G',
  schemaHash: 'a'.repeat(64),
  sketch: new Float32Array(64),
  protocols: []
}

class FakePubsub extends TypedEventEmitter<GossipSubEvents> {
  readonly globalSignaturePolicy: 'StrictSign' | 'StrictNoSign'
  readonly topicValidators = new Map<string, TopicValidatorFn>()
  readonly subscriptions: string[] = []
  readonly published: Uint8Array[] = []

  constructor (policy: 'StrictSign' | 'StrictNoSign' = 'StrictSign') {
    super()
    this.globalSignaturePolicy = policy
  }

  subscribe (topic: string): void { this.subscriptions.push(`+${topic}`) }
  unsubscribe (topic: string): void { this.subscriptions.push(`-${topic}`) }
  async publish (_topic: string, data: Uint8Array): Promise<{ recipients: never[] }> {
    this.published.push(data)
    return { recipients: [] }
  }
}

const own = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

function service (pubsub: FakePubsub, now?: () => number): AnnounceService {
  return new AnnounceService({ peerId: own, pubsub }, { federationId: 'f', ...(now == null ? {} : { now }) })
}

describe('announce service', () => {
  it('subscribes once it has started and leaves nothing behind, each safe to call twice', () => {
    const pubsub = new FakePubsub()
    const announce = service(pubsub)
    announce.afterStart()
    announce.beforeStop()
    announce.stop()
    for (let i = 0; i < 2; i++) { announce.start(); announce.afterStart() }
    expect(pubsub.topicValidators.has('/consilium/f/announce/1')).to.equal(true)
    for (let i = 0; i < 2; i++) { announce.beforeStop(); announce.stop() }
    expect(pubsub.subscriptions).to.deep.equal(['+/consilium/f/announce/1', '-/consilium/f/announce/1'])
    expect(pubsub.topicValidators.size).to.equal(0)
  })

  it('does not start beside a pubsub service without strict signing', () => {
    expect(() => { service(new FakePubsub('StrictNoSign')).start() }).to.throw(InputError)
  })

  it('rejects what is not signed, whatever it says', () => {
    const pubsub = new FakePubsub()
    const announce = service(pubsub)
    announce.start()
    const message: Message = { type: 'unsigned', topic: announce.topic, data: encodeAnnouncement(example, 1n) }
    expect(pubsub.topicValidators.get(announce.topic)!({} as never, message)).to.equal(TopicValidatorResult.Reject)
  })

  it('ignores whose author is an outcast, whoever passes it on', async () => {
    const key = await generateKeyPair('Ed25519')
    const from = peerIdFromPrivateKey(key)
    const pubsub = new FakePubsub()
    const announce = new AnnounceService({ peerId: own, pubsub }, { federationId: 'f', isOutcast: (author) => author === from.toString() })
    announce.start()
    const heard: unknown[] = []
    announce.addEventListener('announcement', ({ detail }) => heard.push(detail))
    const message: Message = {
      type: 'signed',
      from,
      topic: announce.topic,
      data: encodeAnnouncement(example, 1n),
      sequenceNumber: 1n,
      signature: new Uint8Array(64),
      key: key.publicKey
    }
    expect(pubsub.topicValidators.get(announce.topic)!({} as never, message)).to.equal(TopicValidatorResult.Ignore)
    expect(heard).to.deep.equal([])
  })

  describe('where two processes have one key', () => {
    let now: number
    let announce: AnnounceService
    let pubsub: FakePubsub
    let twins: PeerId[]

    beforeEach(() => {
      pubsub = new FakePubsub()
      now = 1_000_000
      announce = service(pubsub, () => now)
      announce.start()
      twins = []
      announce.addEventListener('twin', ({ detail }) => { twins.push(detail.peerId) })
    })

    async function hear (from: PeerId, sequence: number, instance: number): Promise<void> {
      const signed = { type: 'signed' as const, topic: announce.topic, sequenceNumber: 1n, signature: new Uint8Array(64) }
      const data = encodeAnnouncement(example, BigInt(sequence), { instance })
      await pubsub.topicValidators.get(announce.topic)!(from, { ...signed, from, data, key: {} as never })
    }

    it('hears its own key say what it did not, if not from before its start', async () => {
      await hear(own, now - 1, 7)
      expect(twins).to.deep.equal([])
      await hear(own, now + 1, 7)
      expect(twins).to.deep.equal([own])
    })

    it('hears another site take turns with itself, which one that was started again does not', async () => {
      const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
      const hears = async (instances: readonly number[]): Promise<void> => {
        for (const instance of instances) {
          now += 2_000
          await hear(other, now, instance)
        }
      }
      await hears([1, 1, 2, 2, 3, 2, 2, 4])
      expect(twins, 'one return may be a clock that was set').to.deep.equal([])
      await hears([2])
      expect(twins.map(String)).to.deep.equal([other.toString()])
    })
  })

  describe('of a federation whose members are known', () => {
    let pubsub: FakePubsub
    let announce: AnnounceService
    let heard: string[]
    let dropped: [string, string, boolean][]

    beforeEach(() => {
      pubsub = new FakePubsub()
      const isCertified = async (_author: string, shown?: Uint8Array): Promise<boolean> => shown?.[0] === 7
      const credential = (): Uint8Array => Uint8Array.of(7)
      announce = new AnnounceService({ peerId: own, pubsub }, { federationId: 'f', rounds: 12, isCertified, credential })
      announce.start()
      heard = []
      dropped = []
      announce.addEventListener('announcement', ({ detail: { peerId } }) => heard.push(peerId.toString()))
      announce.addEventListener('dropped', ({ detail: { peerId, reason, rejected } }) => {
        dropped.push([peerId.toString(), reason, rejected])
      })
    })

    async function hears (data: Uint8Array, isDirect = false): Promise<{ author: string, result: unknown }> {
      const key = await generateKeyPair('Ed25519')
      const author = peerIdFromPrivateKey(key)
      const from = isDirect ? author : peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
      const signed = { type: 'signed' as const, topic: announce.topic, sequenceNumber: 1n, signature: new Uint8Array(64) }
      const message: Message = { ...signed, from: author, data, key: key.publicKey }
      return { author: author.toString(), result: await pubsub.topicValidators.get(announce.topic)!(from, message) }
    }

    it('hears whoever shows a certificate, and nobody else, of whom nothing is kept', async () => {
      await announce.publish(example)
      const { author, result } = await hears(pubsub.published[0]!)
      expect([result, heard]).to.deep.equal([TopicValidatorResult.Accept, [author]])
      for (let invented = 0; invented < 20; invented++) {
        expect((await hears(encodeAnnouncement(example, 1n))).result).to.equal(TopicValidatorResult.Ignore)
      }
      expect(heard).to.have.length(1)
      expect(dropped.map(([, reason, rejected]) => [reason, rejected])).to.deep.equal(Array(20).fill(['no certificate', false]))
    })

    it('counts what no honest site says against its author, not against whoever passed it on', async () => {
      const late = encodeAnnouncement({ ...example, round: 500_000 }, 1n, { credential: Uint8Array.of(7) })
      const known = new AnnounceService({ peerId: own, pubsub }, { federationId: 'f', rounds: 12 })
      announce.stop()
      known.start()
      known.addEventListener('dropped', ({ detail: { peerId, reason, rejected } }) => dropped.push([peerId.toString(), reason, rejected]))
      const [relayed, direct] = [await hears(late), await hears(late, true)]
      expect(relayed.result).to.equal(TopicValidatorResult.Ignore)
      expect(direct.result).to.equal(TopicValidatorResult.Reject)
      const reason = 'an announcement with an impossible round'
      expect(dropped).to.deep.equal([[relayed.author, reason, true], [direct.author, reason, true]])
    })
  })

  it('numbers messages by the clock, so that they grow over restarts, also when the clock stands or turns back', async () => {
    const pubsub = new FakePubsub()
    let now = 1_000_000.7
    const announce = service(pubsub, () => now)
    for (const time of [1_000_000.7, 1_000_000.9, 5, 2_000_000]) {
      now = time
      await announce.publish(example)
    }
    expect(pubsub.published.map((bytes) => decodeAnnouncement(bytes).sequence)).to.deep.equal([
      1_000_000n,
      1_000_001n,
      1_000_002n,
      2_000_000n
    ])
  })
})
