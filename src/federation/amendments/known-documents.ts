import { createHash } from 'node:crypto'
import { ProtocolError } from '../../errors.ts'
import {
  documentDigest,
  lackingSignatures,
  numberOf,
  parseUnverified,
  verifySignatures,
  type Federation,
  type FederationDocument
} from '../document.ts'
import { mayFollow } from './amend.ts'

/** Documents that are kept and told: a site that was away for more amendments needs a new invitation. */
const MOST_KEPT = 32
/** Unfinished drafts that one founder has under way. */
const MOST_DRAFTS = 4

/**
 * The documents of a federation that a site knows: those in force, one after the other, and drafts that lack signatures. Of two that
 * follow the same one, both signed, the one with the smaller digest counts at every site.
 */
export class KnownDocuments {
  readonly #id: string
  /** The oldest that this site can follow to the present. */
  #first: FederationDocument
  readonly #byDigest = new Map<string, FederationDocument>()
  /** Digests are no work for every announcement. */
  #chained: FederationDocument[] | undefined
  /** Why the last one that could not be read was passed over. */
  unread: string | undefined

  /** Verified documents, the one in force here before all. */
  constructor (inForce: Federation, others: readonly Federation[] = []) {
    this.#id = inForce.id
    for (const { document } of [...others, inForce]) this.#put(document)
    this.#first = inForce.document
    for (let before: FederationDocument | undefined = this.#first; before != null; before = this.#before(before)) this.#first = before
  }

  /** The document that counts now, by the quorum of those before it. */
  get newest (): Federation {
    return { id: this.#id, document: this.#chain.at(-1)! }
  }

  /** Documents that lack signatures yet, on top of the newest. */
  get drafts (): FederationDocument[] {
    const newest = documentDigest(this.newest.document)
    return [...this.#byDigest.values()].filter((each) => each.amends?.document === newest && lackingSignatures(each) > 0)
  }

  /** What came after this one, in order; where another one took its place, from that on. */
  after (document: FederationDocument): FederationDocument[] {
    const chain = this.#chain
    const digest = documentDigest(document)
    const at = chain.findIndex((each) => documentDigest(each) === digest)
    return at >= 0 ? chain.slice(at + 1) : chain.filter((each) => numberOf(each) >= numberOf(document) && numberOf(each) > 0)
  }

  /** What is kept and told, oldest first. */
  get all (): FederationDocument[] {
    return [...this.#chain.slice(-MOST_KEPT), ...this.drafts]
  }

  /** SHA-256, equal where two sites know the same newest document and drafts. */
  get digest (): Uint8Array {
    const hash = createHash('sha256').update(documentDigest(this.newest.document))
    const drafts = this.drafts.map((each) => documentDigest(each) + each.signatures.map(({ peerId }) => peerId).sort().join())
    for (const each of drafts.sort()) hash.update(each)
    return hash.digest()
  }

  /**
   * Takes in what is new, and returns it as it is known now. What follows a document that this site does not know, or is of software that
   * it does not know, is passed over. @throws ProtocolError for a document that its founders did not sign
   */
  async learn (values: readonly unknown[]): Promise<FederationDocument[]> {
    const news: FederationDocument[] = []
    for (const value of values) {
      const learnt = await this.#learn(value)
      if (learnt != null) news.push(learnt)
    }
    return news
  }

  async #learn (value: unknown): Promise<FederationDocument | undefined> {
    const before = this.#byDigest.get((value as { amends?: { document?: string } } | null)?.amends?.document ?? '')
    if (before == null || lackingSignatures(before) > 0) return undefined
    const document = this.#read(value)
    if (document == null || !mayFollow({ id: this.#id, document: before }, document)) return undefined
    await verifySignatures('a document', document).catch((error: unknown) => { throw new ProtocolError((error as Error).message) })
    return this.#merge(document, this.#byDigest.get(documentDigest(document)))
  }

  /** With the signatures that are known already; undefined where none is new, or there is no room. */
  #merge (document: FederationDocument, known: FederationDocument | undefined): FederationDocument | undefined {
    const bySigner = new Map([...document.signatures, ...known?.signatures ?? []].map((each) => [each.peerId, each]))
    if (bySigner.size === known?.signatures.length) return undefined
    const together = { ...document, signatures: [...bySigner.values()].sort((a, b) => a.peerId < b.peerId ? -1 : 1) }
    if (known == null && lackingSignatures(together) > 0 && !this.#hasRoomFor(together)) return undefined
    this.#put(together)
    return together
  }

  /** One of newer software is left to it. */
  #read (value: unknown): FederationDocument | undefined {
    try {
      return parseUnverified(value, 'an amended document')
    } catch (error) {
      this.unread = (error as Error).message
      return undefined
    }
  }

  #hasRoomFor ({ signatures }: FederationDocument): boolean {
    const { drafts } = this
    return signatures.every(({ peerId }) =>
      drafts.filter((each) => each.signatures.some((other) => other.peerId === peerId)).length < MOST_DRAFTS)
  }

  #before ({ amends }: FederationDocument): FederationDocument | undefined {
    return amends == null ? undefined : this.#byDigest.get(amends.document)
  }

  #put (document: FederationDocument): void {
    this.#byDigest.set(documentDigest(document), document)
    this.#chained = undefined
  }

  get #chain (): FederationDocument[] {
    this.#chained ??= this.#follow()
    return this.#chained
  }

  #follow (): FederationDocument[] {
    const all = [...this.#byDigest.values()].filter((each) => lackingSignatures(each) === 0)
    const chain = [this.#first]
    for (;;) {
      const last = documentDigest(chain.at(-1)!)
      const [next] = all.filter(({ amends }) => amends?.document === last).map((each) => ({ each, digest: documentDigest(each) }))
        .sort((a, b) => a.digest < b.digest ? -1 : 1)
      if (next == null) return chain
      chain.push(next.each)
    }
  }
}
