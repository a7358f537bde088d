import { TopicValidatorResult, type Message } from '@libp2p/gossipsub'
import { TypedEventEmitter, type PeerId, type Startable } from '@libp2p/interface'
import { randomInt } from 'node:crypto'
import { InputError } from '../../errors.ts'
import { protocolId } from '../versions.ts'
import { encodeAnnouncement, type Announcement, type SignedAnnouncement } from './announcement.ts'
import { Instances } from './instances.ts'
import type { Announce, AnnounceComponents, AnnounceEvents, AnnounceInit } from './types.ts'
import { AnnouncementValidator } from './validate.ts'

/** The one gossipsub topic of a federation. */
export function announceTopic (federationId: string): string {
  return protocolId(federationId, 'announce')
}

export class AnnounceService extends TypedEventEmitter<AnnounceEvents> implements Announce, Startable {
  readonly topic: string
  readonly #components: AnnounceComponents
  readonly #now: () => number
  readonly #isOutcast: (author: string) => boolean
  readonly #validator: AnnouncementValidator
  readonly #isCertified: NonNullable<AnnounceInit['isCertified']>
  readonly #credential: AnnounceInit['credential']
  readonly #instance: number
  readonly #instances = new Instances()
  readonly #bornAt: bigint
  #sequence = 0n
  #started = false
  #subscribed = false

  constructor (components: AnnounceComponents, init: AnnounceInit) {
    const { federationId, now = Date.now, isOutcast = () => false, isCertified = () => Promise.resolve(true), credential } = init
    super()
    this.#components = components
    this.#now = now
    this.#isOutcast = isOutcast
    this.#validator = new AnnouncementValidator({ now, facts: init.facts, get rounds () { return init.rounds } })
    this.#isCertified = isCertified
    this.#credential = credential
    this.#instance = init.instance ?? randomInt(1, 2 ** 32)
    this.#bornAt = BigInt(Math.floor(now()))
    this.topic = announceTopic(federationId)
  }

  isStarted (): boolean {
    return this.#started
  }

  start (): void {
    const { pubsub } = this.#components
    if (this.#started) return
    if (pubsub.globalSignaturePolicy !== 'StrictSign') throw new InputError('announcements need a pubsub service with strict signing')
    this.#started = true
    pubsub.topicValidators.set(this.topic, this.#validate)
  }

  /** The pubsub service can subscribe only once it has started itself. */
  afterStart (): void {
    if (!this.#started || this.#subscribed) return
    this.#components.pubsub.subscribe(this.topic)
    this.#subscribed = true
  }

  stop (): void {
    const { pubsub } = this.#components
    if (!this.#started) return
    this.#started = false
    pubsub.topicValidators.delete(this.topic)
  }

  /** Before the pubsub service stops, which would refuse it. */
  beforeStop (): void {
    if (!this.#subscribed) return
    this.#subscribed = false
    this.#components.pubsub.unsubscribe(this.topic)
  }

  async publish (announcement: Announcement): Promise<void> {
    const time = BigInt(Math.floor(this.#now()))
    this.#sequence = time > this.#sequence ? time : this.#sequence + 1n
    const author = { instance: this.#instance, credential: this.#credential?.() }
    await this.#components.pubsub.publish(this.topic, encodeAnnouncement(announcement, this.#sequence, author))
  }

  /** Dispatches what it accepts itself: each message passes here exactly once, decoded. */
  readonly #validate = (from: PeerId, message: Message): TopicValidatorResult | Promise<TopicValidatorResult> => {
    if (message.type !== 'signed') return TopicValidatorResult.Reject
    if (this.#isOutcast(message.from.toString())) return TopicValidatorResult.Ignore
    return this.#judge(from, message.from, message.data)
  }

  async #judge (from: PeerId, author: PeerId, data: Uint8Array): Promise<TopicValidatorResult> {
    const name = author.toString()
    const opened = this.#validator.open(name, data)
    if (author.equals(this.#components.peerId)) return this.#hearOwn(author, opened)
    const shown = 'sequence' in opened ? opened.credential : undefined
    // Nothing is kept of, or held against, a name that anybody may have invented.
    if (!await this.#isCertified(name, shown)) return this.#drop(author, 'no certificate')
    const verdict = 'sequence' in opened ? this.#validator.take(name, opened) : opened
    if ('accept' in verdict) {
      const saidAt = 'sequence' in opened ? Number(opened.sequence) : NaN
      this.dispatchEvent(new CustomEvent('announcement', { detail: { peerId: author, announcement: verdict.accept, saidAt } }))
      if (this.#instances.areTwo(name, (opened as SignedAnnouncement).instance)) this.#sayTwin(author)
      return TopicValidatorResult.Accept
    }
    if ('ignore' in verdict) return this.#drop(author, verdict.ignore)
    this.#drop(author, verdict.reject, true)
    // Whoever passed it on may run other software, which takes it for good.
    return from.toString() === name ? TopicValidatorResult.Reject : TopicValidatorResult.Ignore
  }

  /** What this process says itself is not heard again. What came from one before it may still be under way; what is newer is another's. */
  #hearOwn (author: PeerId, opened: ReturnType<AnnouncementValidator['open']>): TopicValidatorResult {
    if ('sequence' in opened && opened.sequence > this.#bornAt && opened.instance !== this.#instance) this.#sayTwin(author)
    return TopicValidatorResult.Ignore
  }

  #sayTwin (peerId: PeerId): void {
    this.dispatchEvent(new CustomEvent('twin', { detail: { peerId } }))
  }

  #drop (peerId: PeerId, reason: string, rejected = false): TopicValidatorResult {
    this.dispatchEvent(new CustomEvent('dropped', { detail: { peerId, reason, rejected } }))
    return TopicValidatorResult.Ignore
  }
}
