import { RateLimit } from '../../common/rate-limit.ts'
import { decodeAnnouncement, type Announceable, type Announcement, type SignedAnnouncement } from './announcement.ts'

export type Validation = { readonly accept: Announcement } | { readonly ignore: string } | { readonly reject: string }

/**
 * Messages per second and author that are taken in, and how many may come at once after a quiet time (networks bunch what was sent
 * apart).
 */
const PER_SECOND = 1
const BURST = 3
const MAX_AUTHORS = 1024
/** Milliseconds by which another site's clock may be ahead and be taken for right. */
const AHEAD = 3_600_000n

/** Judges announcements whose signature has been checked: reject what no honest site sends, ignore what is old or too much. */
export class AnnouncementValidator {
  readonly #now: () => number
  readonly #init: Announceable
  readonly #rate: RateLimit
  readonly #sequences = new Map<string, bigint>()

  /** `now`: milliseconds since the epoch; what may be announced is read anew for each. */
  constructor (init: Announceable & { readonly now: () => number }) {
    const { now } = init
    this.#now = now
    this.#init = init
    this.#rate = new RateLimit({ perSecond: PER_SECOND, burst: BURST, now })
  }

  judge (author: string, bytes: Uint8Array): Validation {
    const opened = this.open(author, bytes)
    return 'sequence' in opened ? this.take(author, opened) : opened
  }

  /** Before it is known who the author is: nothing is remembered of it. */
  open (author: string, bytes: Uint8Array): SignedAnnouncement | Exclude<Validation, { readonly accept: Announcement }> {
    let decoded: SignedAnnouncement
    try {
      decoded = decodeAnnouncement(bytes, this.#init)
    } catch (error) {
      return { reject: (error as Error).message }
    }
    return this.#isOld(author, decoded) ? { ignore: 'old' } : decoded
  }

  take (author: string, { sequence, announcement }: Pick<SignedAnnouncement, 'sequence' | 'announcement'>): Validation {
    if (this.#isOld(author, { sequence })) return { ignore: 'old' }
    if (this.#rate.take(author) > 0) return { ignore: 'too many' }
    this.#sequences.delete(author)
    this.#sequences.set(author, sequence)
    if (this.#sequences.size > MAX_AUTHORS) this.#sequences.delete(this.#sequences.keys().next().value!)
    return { accept: announcement }
  }

  /** A clock that was ahead and has been set right must not silence its site. */
  #isOld (author: string, { sequence }: Pick<SignedAnnouncement, 'sequence'>): boolean {
    const last = this.#sequences.get(author) ?? -1n
    const latest = BigInt(Math.floor(this.#now())) + AHEAD
    return sequence <= last && !(last > latest && sequence <= latest)
  }
}
