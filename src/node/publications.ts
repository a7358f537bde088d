import { peerIdFromString } from '@libp2p/peer-id'
import type { Schema } from '../adapter/schema.ts'
import type { Auditor } from '../audit/auditor.ts'
import { messageOf } from '../common/message-of.ts'
import { releasePublication, wrongIn, type PublicationLimits, type ReleasedPublication } from '../gossip-aggregation/publication-gate.ts'
import { ReceivedStore, type ReceivedPublication } from '../home/received-store.ts'
import { readWithdrawals } from '../home/withdrawals.ts'
import type { PublicationService } from '../protocol/publication/publication.ts'
import { publicationDigest, type PublicationPort, type Shown } from '../protocol/publication/talk.ts'
import type { Received } from '../rounds/trainer-messages.ts'
import type { PublicationView } from '../rounds/status.ts'
import { MOST_SHOWN, type PublicationKind } from '../settings/publication-kinds.ts'
import { bothConsent, isMadeAnew, MOST_NUMBERS, publicationRules } from '../settings/publications.ts'
import type { Site } from './site.ts'

/** A round waits so long for what others show; what comes later is there for the next. */
const WAIT_MS = 5_000

/** In the place of a peer id, in the folder of what this site shows. */
const OWN = 'own'

type Asking = Pick<PublicationService, 'ask'>

export interface PublicationsInit {
  readonly site: Pick<Site, 'federation' | 'policy' | 'paths' | 'logger' | 'notices' | 'peerId'>
  readonly schema: Schema
  readonly audit: Pick<Auditor, 'record'>
  /** Exchanges pause, by the site's policy: then nothing is shown either. */
  readonly isWithheld: () => boolean
}

/** What a site shows to the others, and what they showed to it (docs/spec/publications.md). */
export class Publications implements PublicationPort {
  readonly #init: PublicationsInit
  readonly #limits: ReadonlyMap<string, PublicationLimits>
  readonly #store: ReceivedStore
  /** This site's own; what is of images as it was first made: of two that differ by a patient could be told what is the patient's. */
  readonly #made: ReceivedStore
  readonly #released = new Map<PublicationKind, Shown & Pick<ReleasedPublication, 'values'>>()
  readonly #received = new Map<string, ReceivedPublication>()
  /** By kind, who was asked and shows none. */
  readonly #without = new Map<string, Set<string>>()
  #ended = false
  /** What was made to be shown has images in it of somebody who was withdrawn: another one would tell whose. */
  #withheld = false

  private constructor (init: PublicationsInit) {
    this.#init = init
    const { site: { federation: { document }, paths }, schema } = init
    this.#limits = new Map([...publicationRules(document)].map(([kind, { count, ...rule }]) =>
      [kind, { ...rule, count: count === 'adapter' ? schema.size : count, most: MOST_NUMBERS[kind] }]))
    this.#store = new ReceivedStore(paths.received, schema.hash)
    this.#made = new ReceivedStore(paths.shown, schema.hash)
  }

  /** With what was received before this start; undefined where the federation shares nothing. */
  static async open (init: PublicationsInit): Promise<Publications | undefined> {
    const publications = new Publications(init)
    if (publications.#limits.size === 0) return undefined
    await publications.#heedWithdrawals()
    for (const each of await publications.#store.load()) publications.#take(each)
    for (const { kind, round, values } of await publications.#made.load()) publications.#release(kind as PublicationKind, round, values)
    return publications
  }

  get schemaHash (): string {
    return this.#init.schema.hash
  }

  get most (): number {
    return [...this.#limits.values()].reduce((sum, { count }) => sum + count, 0)
  }

  /** Kinds that this site agrees to show, makes once and has not made yet. */
  get lacking (): PublicationKind[] {
    return this.#agreed.filter((kind) => !isMadeAnew(kind) && !this.#released.has(kind))
  }

  /** Kinds that this site agrees to show, and makes anew when it has trained. */
  get renewed (): PublicationKind[] {
    return this.#agreed.filter(isMadeAnew)
  }

  get #agreed (): PublicationKind[] {
    return ([...this.#limits.keys()] as PublicationKind[]).filter((kind) => this.#mayLeave(kind))
  }

  /** What leaves from now on of this kind, till the next of it; nothing without both consents. */
  async show (kind: PublicationKind, round: number, values: Float32Array): Promise<void> {
    this.#release(kind, round, values)
    const released = this.#released.get(kind)
    if (released != null) await this.#made.save({ ...released, peer: OWN })
  }

  /** Through the gate. */
  #release (kind: PublicationKind, round: number, values: Float32Array): void {
    const { notices } = this.#init.site
    if (!this.#limits.has(kind)) return
    try {
      const limits = this.#limits.get(kind)!
      const released = releasePublication(kind, values, { consented: this.#mayLeave(kind), limits })
      this.#released.set(kind, { ...released, kind, round, digest: publicationDigest(released.values) })
      notices.over(`publication ${kind}`, `${kind} can be shown again`)
    } catch (error) {
      this.#released.delete(kind)
      notices.warn(`publication ${kind}`, messageOf(error))
    }
  }

  shown (): readonly Shown[] {
    if (this.#ended || this.#init.isWithheld()) return []
    return [...this.#released.values()].filter(({ kind }) => this.#mayLeave(kind as PublicationKind))
  }

  countOf (kind: string): number | undefined {
    return this.#limits.get(kind)?.count
  }

  /** It left for one site. */
  sent ({ kind, round, digest, values, partner }: Shown & { readonly partner: string }): void {
    this.#init.audit.record({ kind: 'publication', what: kind, round, count: values.length, digest, peer: partner })
  }

  /** Asks these sites for what is new, all at once; a round does not wait long for them. */
  async gather (service: Asking, peers: readonly string[], signal: AbortSignal): Promise<void> {
    const asked = Promise.all(peers.filter((peer) => this.#mayKeep(peer)).map(async (peer) => { await this.#ask(service, peer) }))
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, WAIT_MS)
    signal.addEventListener('abort', () => { resolve() }, { once: true })
    await Promise.race([asked, late])
    clearTimeout(timer)
  }

  /** What training may use of the others, from the one after this site on: in the same order after a restart. */
  received (isMember: (peer: string) => boolean): Received[] {
    const { peerId } = this.#init.site
    const place = ({ kind, peer }: ReceivedPublication): string => `${kind} ${Number(peer < peerId)} ${peer}`
    return [...this.#received.values()].sort((one, other) => place(one) < place(other) ? -1 : 1)
      .filter(({ peer }) => isMember(peer)).map(({ kind, peer, values }) => ({ kind: kind as PublicationKind, peer, values }))
  }

  /** The federation has ended here: nothing is shown any more, and what was received is deleted. */
  async end (): Promise<void> {
    this.#ended = true
    this.#released.clear()
    this.#received.clear()
    await this.#store.remove()
  }

  get view (): PublicationView[] {
    return ([...this.#limits.keys()] as PublicationKind[]).map((kind) => ({
      kind,
      consents: this.#mayLeave(kind),
      shows: this.shown().some((each) => each.kind === kind),
      received: [...this.#received.values()].filter((each) => each.kind === kind).map(({ peer }) => peer),
      without: [...this.#without.get(kind) ?? []]
    }))
  }

  async #heedWithdrawals (): Promise<void> {
    const { paths: { privateStore }, notices } = this.#init.site
    this.#withheld = (await readWithdrawals(privateStore))?.withdrawn.some(({ shown }) => shown) === true
    if (this.#withheld) notices.event('what this site showed was made with images that were withdrawn: it shows nothing any more')
  }

  #mayLeave (kind: PublicationKind): boolean {
    if (this.#withheld) return false
    const { federation: { document: { method } }, policy: { publish } } = this.#init.site
    return bothConsent({ sharing: method?.sharing, publish }, kind)
  }

  #mayKeep (peer: string): boolean {
    const kept = new Set([...this.#received.values()].map((each) => each.peer))
    return kept.has(peer) || kept.size < MOST_SHOWN
  }

  async #ask (service: Asking, peer: string): Promise<void> {
    try {
      const { items, got } = await service.ask(peerIdFromString(peer), ({ kind, digest }) =>
        this.#mayKeep(peer) && this.#received.get(`${kind} ${peer}`)?.digest !== digest)
      this.#note(peer, items.map(({ kind }) => kind))
      for (const { kind, round, digest, values } of got) {
        const publication = { kind, peer, round, digest, values }
        if (!this.#ended && this.#mayKeep(peer) && this.#take(publication)) await this.#store.save(publication)
      }
    } catch (error) {
      this.#init.site.logger.debug({ partner: peer, why: messageOf(error) }, 'what a site shows could not be asked for')
    }
  }

  #note (peer: string, kinds: readonly string[]): void {
    for (const kind of this.#limits.keys()) {
      const without = this.#without.get(kind) ?? new Set()
      this.#without.set(kind, without)
      if (kinds.includes(kind)) without.delete(peer)
      else if (without.size < MOST_SHOWN) without.add(peer)
    }
  }

  /** False for what this site's document lets nobody show. */
  #take (publication: ReceivedPublication): boolean {
    const { kind, peer, values } = publication
    const limits = this.#limits.get(kind)
    const wrong = limits == null ? 'is of a kind that the federation has not' : wrongIn(values, limits)
    if (wrong == null) this.#received.set(`${kind} ${peer}`, publication)
    else this.#init.site.notices.event(`what site ${peer} shows as ${kind} ${wrong}: it is not used`)
    return wrong == null
  }
}
