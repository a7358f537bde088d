import type { MemberRole } from './certificate.ts'
import type { BookEntry } from './member-book.ts'
import type { SiteMembership } from './site-membership.ts'

/** One line of `consilium members`: last seen, last round trained and last exchange are different facts; times are ISO 8601. */
export interface MemberView {
  peerId: string
  name: string
  role: MemberRole
  standing: 'member' | 'invited' | 'left' | 'revoked' | 'handed over' | 'expired'
  connected: boolean
  /** This site itself. */
  isSelf?: true
  validTo?: string
  lastSeen?: string
  lastRound?: number
  lastRoundAt?: string
  lastExchange?: string
  /** Optimiser steps of its training, and those that reached another site, as it says itself; only while a daemon runs. */
  steps?: { trained: number, arrived: number }
  /** Part of a round's steps that it trains at present, above 0 to 1; only while a daemon runs. */
  pace?: number
  /** A site without labels, as it says itself; only while a daemon runs. */
  reads?: true
  /** Version of what it ran when it was last heard of; absent where it has not said so. */
  software?: string
  /** How it is reached: direct, through the proxy, or relayed by whom; only while a daemon runs. */
  reach?: string
}

/** Founders, and all others that this site has met or invited; by name. */
export function viewMembers (
  { federation, standing }: Pick<SiteMembership, 'federation' | 'standing'>,
  book: readonly BookEntry[],
  isConnected: (peerId: string) => boolean,
  now = Date.now()
): MemberView[] {
  const { founders } = federation.document
  const unmet = founders.filter((peerId) => !book.some((each) => each.peerId === peerId)).map((peerId): BookEntry => ({
    peerId,
    name: 'founder',
    role: 'founder'
  }))
  const standingOf = ({ peerId, role, to, lastSeen, invited }: BookEntry): MemberView['standing'] => {
    if (standing.hasLeft(peerId)) return 'left'
    if (standing.isRevoked(peerId, role)) return 'revoked'
    if (standing.successorOf(peerId) != null) return 'handed over'
    if (to != null && Date.parse(to) <= now) return 'expired'
    return lastSeen == null && invited != null ? 'invited' : 'member'
  }
  return [...unmet, ...book].map((each) => founders.includes(each.peerId) ? { ...each, role: 'founder' as const } : each).map((each) => ({
    peerId: each.peerId,
    name: each.name,
    role: each.role,
    standing: standingOf(each),
    connected: isConnected(each.peerId),
    ...(each.to == null ? {} : { validTo: each.to }),
    ...timesOf(each),
    ...(each.lastRound == null ? {} : { lastRound: each.lastRound }),
    ...(each.software == null ? {} : { software: each.software })
  })).sort((a, b) => a.name < b.name ? -1 : 1)
}

function timesOf ({ lastSeen, lastRoundAt, lastExchange }: BookEntry): Pick<MemberView, 'lastSeen' | 'lastRoundAt' | 'lastExchange'> {
  const iso = Object.entries({ lastSeen, lastRoundAt, lastExchange }).filter(([, time]) => time != null).map((
    [name, time]
  ) => [name, new Date(time!).toISOString()])
  return Object.fromEntries(iso) as Pick<MemberView, 'lastSeen' | 'lastRoundAt' | 'lastExchange'>
}
