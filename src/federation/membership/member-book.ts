import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { parseJson } from '../../common/parse-json.ts'
import { CorruptFileError } from '../../errors.ts'
import { readChecked, writeCheckedJson } from '../../home/checksum.ts'
import type { MemberRole } from './certificate.ts'

const time = z.number().min(0)
const entry = z.strictObject({
  peerId: z.string(),
  name: z.string(),
  role: z.enum(['member', 'inviter', 'founder']),
  /** End of its certificate, where it has one. */
  to: z.string().optional(),
  invited: time.optional(),
  lastSeen: time.optional(),
  lastRound: z.number().int().min(0).optional(),
  lastRoundAt: time.optional(),
  lastExchange: time.optional(),
  /** Version that it ran when it was last heard of. */
  software: z.string().optional()
})
const file = z.array(entry)

/** Seen, trained and exchanged are different facts; times are milliseconds since the epoch. */
export type BookEntry = z.infer<typeof entry>

/** Sites of one federation that are remembered; the one quiet longest is forgotten beyond them. */
const MOST = 4_096

/** Every member that this site has met or invited, kept over restarts. */
export class MemberBook {
  readonly #path: string
  readonly #now: () => number
  readonly #entries = new LRUCache<string, BookEntry>({ max: MOST })
  #changed = false
  /** The file could not be read. */
  wasDamaged = false

  private constructor (path: string, now: () => number) {
    this.#path = path
    this.#now = now
  }

  /** A book that cannot be read starts empty: it is convenience, not authority. */
  static async open (path: string, now: () => number): Promise<MemberBook> {
    const book = new MemberBook(path, now)
    const parsed = file.safeParse(parseJson(await readChecked(path).catch(nothingOf) ?? '[]'))
    for (const each of parsed.data ?? []) book.#entries.set(each.peerId, each)
    book.wasDamaged = !parsed.success
    return book
  }

  /** The one quiet longest first. */
  get entries (): readonly BookEntry[] {
    return [...this.#entries.rvalues()].filter((each) => each != null)
  }

  roleOf (peerId: string): MemberRole | undefined {
    return this.#entries.peek(peerId)?.role
  }

  /** When the certificate ends that a site showed here, milliseconds since the epoch; -Infinity where it never did. */
  validUntil (peerId: string): number {
    const { lastSeen, to } = this.#entries.peek(peerId) ?? {}
    return lastSeen == null || to == null ? -Infinity : Date.parse(to)
  }

  met ({ peerId, name, role, to }: { peerId: string, name: string, role: MemberRole, to?: string | undefined }): void {
    this.#update(peerId, { name, role, lastSeen: this.#now(), ...(to == null ? {} : { to }) }, true)
  }

  invited (peerId: string, name: string, role: MemberRole): void {
    this.#update(peerId, { name, role, invited: this.#now() }, true)
  }

  seen (peerId: string): void {
    this.#update(peerId, { lastSeen: this.#now() })
  }

  /** Announced that it is in this round. */
  trained (peerId: string, round: number): void {
    const known = this.#entries.peek(peerId)
    this.#update(peerId, { lastSeen: this.#now(), ...(round === known?.lastRound ? {} : { lastRound: round, lastRoundAt: this.#now() }) })
  }

  runs (peerId: string, software: string): void {
    this.#update(peerId, { software })
  }

  exchanged (peerId: string): void {
    this.#update(peerId, { lastSeen: this.#now(), lastExchange: this.#now() })
  }

  async save (): Promise<void> {
    if (!this.#changed) return
    this.#changed = false
    await writeCheckedJson(this.#path, this.entries)
  }

  #update (peerId: string, change: Partial<BookEntry>, create = false): void {
    const known = this.#entries.peek(peerId)
    if (known == null && !create) return
    this.#entries.set(peerId, { ...(known ?? { peerId, name: '', role: 'member' }), ...change })
    this.#changed = true
  }
}

/** What is no JSON either. */
function nothingOf (error: unknown): string {
  if (error instanceof CorruptFileError) return ''
  throw error
}
