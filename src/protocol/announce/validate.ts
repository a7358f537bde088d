import { RateLimit } from '../../common/rate-limit.ts'
import { decodeAnnouncement, type Announcement } from './announcement.ts'

export type Validation = { readonly accept: Announcement } | { readonly ignore: string } | { readonly reject: string }

/**
 * Messages per second and author that are taken in, and how many may come at once after a quiet time (networks bunch what was sent
 * apart).
 */
const PER_SECOND = 1
const BURST = 3
const MAX_AUTHORS = 1024

/** Judges announcements whose signature has been checked: reject what no honest site sends, ignore what is old or too much. */
export class AnnouncementValidator {
  readonly #rate: RateLimit
  readonly #sequences = new Map<string, bigint>()

  constructor ({ now }: { now: () => number }) {
    this.#rate = new RateLimit({ perSecond: PER_SECOND, burst: BURST, now })
  }

  judge (author: string, bytes: Uint8Array): Validation {
    let decoded: ReturnType<typeof decodeAnnouncement>
    try {
      decoded = decodeAnnouncement(bytes)
    } catch (error) {
      return { reject: (error as Error).message }
    }
    const { sequence, announcement } = decoded
    if (sequence <= (this.#sequences.get(author) ?? -1n)) return { ignore: 'old' }
    if (this.#rate.take(author) > 0) return { ignore: 'too many' }
    this.#sequences.delete(author)
    this.#sequences.set(author, sequence)
    if (this.#sequences.size > MAX_AUTHORS) this.#sequences.delete(this.#sequences.keys().next().value!)
    return { accept: announcement }
  }
}
