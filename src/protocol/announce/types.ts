import type { GossipSub } from '@libp2p/gossipsub'
import type { PeerId, TypedEventTarget } from '@libp2p/interface'
import type { Announcement } from './announcement.ts'

export interface AnnounceEvents {
  /** Two processes at the same time have the key of this author, which may be this site. */
  twin: CustomEvent<{ readonly peerId: PeerId }>
  /** From another site, signed by it, checked, newer than what it said before. */
  announcement: CustomEvent<{
    readonly peerId: PeerId,
    readonly announcement: Announcement,
    /** By its clock, milliseconds since the epoch. */
    readonly saidAt: number
  }>
  /**
   * Ignored (old, too many, of nobody who is certified) or rejected (malformed; counts against its author, who signed it, whoever passed
   * it on).
   */
  dropped: CustomEvent<{ readonly peerId: PeerId, readonly reason: string, readonly rejected: boolean }>
}

export interface Announce extends TypedEventTarget<AnnounceEvents> {
  readonly topic: string
  /**
   * Sends at once to whoever is subscribed; others ignore more than one a second (beyond a burst of three). Late joiners hear nothing
   * of the past: repeat it.
   */
  publish (announcement: Announcement): Promise<void>
}

export interface AnnounceInit {
  readonly federationId: string
  /** Milliseconds since the epoch; also the sequence number, so that it grows over restarts. */
  readonly now?: () => number
  /** Whose announcements are ignored, whoever passes them on: sites that were revoked. */
  readonly isOutcast?: (author: string) => boolean
  /** Rounds that the federation trains: no honest site announces a later one. Any when missing. */
  readonly rounds?: number
  /** Numbers that the facts of an announcement have, where it has any; any within the cap when missing. */
  readonly facts?: number
  /** What this site shows of itself, canonical JSON; nothing when missing. */
  readonly credential?: () => Uint8Array
  /** What this process drew at its start, 1 … 2³² − 1; drawn here when missing. */
  readonly instance?: number
  /** Whether this author belongs to the federation, by what it shows or by what is known of it. Everybody does when missing. */
  readonly isCertified?: (author: string, credential: Uint8Array | undefined) => Promise<boolean>
}

export interface AnnounceComponents {
  readonly peerId: PeerId
  /** With strict signing (its default). */
  readonly pubsub: Pick<
    GossipSub,
    'subscribe' | 'unsubscribe' | 'publish' | 'topicValidators' | 'addEventListener' | 'removeEventListener' | 'globalSignaturePolicy'
  >
}
