import { parseJson } from '../../common/parse-json.ts'
import { CorruptFileError, InputError } from '../../errors.ts'
import { readChecked, writeCheckedJson } from '../../home/checksum.ts'
import type { SitePaths } from '../../home/paths.ts'
import type { DocumentsPort } from '../../protocol/membership/index.ts'
import { parseDraft, readFederation, type Federation, type FederationDocument } from '../document.ts'
import { appendPending, readPending, takePending } from '../membership/pending.ts'
import { canonicalBytes, parseBytes } from '../signed.ts'
import { KnownDocuments } from './known-documents.ts'

/** The documents that a site knows, on disk before anybody acts on them; what commands leave is taken in by the daemon. */
export class Amendments implements DocumentsPort {
  #inForce: Federation
  readonly #paths: Pick<SitePaths, 'documents' | 'newDocuments'>
  readonly #known: KnownDocuments
  #lock: Promise<unknown> = Promise.resolve()
  /** There are documents, or signatures, that were not known before. */
  onNews: (documents: readonly Uint8Array[]) => void = () => {}
  /** Another document counts from now on. */
  onNewest: (newest: Federation) => void = () => {}
  /** What was on disk could not be read. */
  readonly wasDamaged: boolean

  private constructor (inForce: Federation, paths: SitePaths, known: KnownDocuments, wasDamaged: boolean) {
    this.wasDamaged = wasDamaged
    this.#inForce = inForce
    this.#paths = paths
    this.#known = known
  }

  /** With what commands have left, which stays for the daemon. */
  static async open (paths: SitePaths, inForce: Federation): Promise<Amendments> {
    const kept = await readDocuments(paths.documents, inForce.id)
    const known = new KnownDocuments(inForce, kept)
    const amendments = new Amendments(inForce, paths, known, kept == null)
    await known.learn(await readPending(paths.newDocuments))
    return amendments
  }

  /** What this site goes on with. */
  get inForce (): Federation {
    return this.#inForce
  }

  goOnWith (federation: Federation): void {
    this.#inForce = federation
  }

  /** The document that counts among the founders, whether or not this site has agreed to it. */
  get newest (): Federation {
    return this.#known.newest
  }

  get drafts (): readonly FederationDocument[] {
    return this.#known.drafts
  }

  /** What came after the document that is in force here, oldest first. */
  get after (): readonly FederationDocument[] {
    return this.#known.after(this.#inForce.document)
  }

  /** Why a document that others sent could not be read, if any. */
  get unread (): string | undefined {
    return this.#known.unread
  }

  /** No site of this federation is in a later round, whichever of its documents it goes on with. */
  get mostRounds (): number {
    return Math.max(...[this.#inForce.document, ...this.#known.all].map(({ training }) => training.rounds))
  }

  get digest (): Uint8Array {
    return this.#known.digest
  }

  documents (): Uint8Array[] {
    return this.#known.all.filter(({ amends }) => amends != null).map(canonicalBytes)
  }

  async learn (documents: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return documents.length === 0 ? [] : (await this.#take(documents.map(parseBytes))).map(canonicalBytes)
  }

  /** Takes in what commands have left, and tells it on. */
  async tend (): Promise<void> {
    const waiting = await readPending(this.#paths.newDocuments)
    if (waiting.length === 0) return
    const news = await this.#take(waiting)
    // On disk, also what was read at the start, before it waits no more; what came meanwhile is taken with it.
    await this.save()
    news.push(...await this.#take(await takePending(this.#paths.newDocuments)))
    if (news.length > 0) this.onNews(news.map(canonicalBytes))
  }

  /**
   * Leaves a document that was signed here for the daemon, or for its next start, and returns it with all signatures that are known.
   * @throws InputError where too many drafts are under way, or another amendment came first
   */
  async leave (document: FederationDocument): Promise<FederationDocument> {
    const [learnt] = await this.#known.learn([document])
    if (learnt == null) {
      throw new InputError('this amendment is known already, another one came first, or too many of this founder lack signatures: ' +
        'see "consilium status", and agree to one of those')
    }
    await appendPending(this.#paths.newDocuments, learnt)
    return learnt
  }

  async #take (values: readonly unknown[]): Promise<FederationDocument[]> {
    const turn = this.#lock.then(async () => {
      const news = await this.#known.learn(values)
      if (news.length > 0) {
        await this.save()
        this.onNewest(this.newest)
      }
      return news
    })
    this.#lock = turn.catch(() => { /* told to its caller */ })
    return await turn
  }

  /** Durable when it resolves. */
  async save (): Promise<void> {
    await writeCheckedJson(this.#paths.documents, this.#known.all)
  }
}

/** Undefined for a damaged file: others tell it again. */
async function readDocuments (path: string, id: string): Promise<Federation[] | undefined> {
  try {
    const values = parseJson(await readChecked(path) ?? '[]')
    if (!Array.isArray(values)) return undefined
    const documents = await Promise.all(values.map(async (each) => await parseDraft(each, path)))
    return documents.filter((each) => each.id === id)
  } catch (error) {
    if (error instanceof CorruptFileError || error instanceof InputError) return undefined
    throw error
  }
}

/** The document that counts among the founders of a home's federation, whether or not this site has agreed to it. */
export async function readNewestFederation (paths: SitePaths): Promise<Federation> {
  return (await Amendments.open(paths, await readFederation(paths.federation))).newest
}
