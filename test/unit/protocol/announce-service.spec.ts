import { generateKeyPair } from '@libp2p/crypto/keys'
import { TopicValidatorResult, type GossipSubEvents, type Message, type TopicValidatorFn } from '@libp2p/gossipsub'
import { TypedEventEmitter } from '@libp2p/interface'
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

function service (pubsub: FakePubsub, now?: () => number): AnnounceService {
  return new AnnounceService({ pubsub }, { federationId: 'f', ...(now == null ? {} : { now }) })
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
    const announce = new AnnounceService({ pubsub }, { federationId: 'f', isOutcast: (author) => author === from.toString() })
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
