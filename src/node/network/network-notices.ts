import type { Libp2p } from '@libp2p/interface'
import type { Auditor } from '../../audit/auditor.ts'
import { knownAddresses } from '../../federation/hints.ts'
import type { SiteMembership } from '../../federation/membership/site-membership.ts'
import type { Logger } from '../../rounds/logger.ts'
import { LAPSE_MS, type Notices } from '../../rounds/notices.ts'
import type { FailedHandshake } from './keyed-noise.ts'
import type { PeerLimits } from './limits/peer-limits.ts'
import { handshakeSentence, isRefusal } from './reach/handshake-words.ts'

interface Init {
  readonly membership: SiteMembership
  readonly config: { readonly bootstrap: readonly string[] }
  readonly notices: Notices
  readonly audit: Pick<Auditor, 'record'>
  readonly logger: Logger
}

/** A founder waits for those whom it invites; anybody else has somebody to look for, and no idea where. */
export async function sayIfLost (
  { membership, config, notices }: Pick<Init, 'membership' | 'config' | 'notices'>,
  { peerId, peerStore }: Pick<Libp2p, 'peerId' | 'peerStore'>
): Promise<void> {
  const { document } = membership.federation
  if (knownAddresses(config.bootstrap, document).length > 0 || document.founders.includes(peerId.toString())) return
  const known = await peerStore.all()
  if (known.some(({ id, addresses }) => !id.equals(peerId) && addresses.length > 0)) return
  notices.warn(
    'no address',
    'this site knows no address of another one and can only be found by others: start it with --bootstrap ADDRESS, or join again ' +
      'with an invitation that holds one'
  )
}

/** What stood in the way of a site that is let in, on both sides, does so no more. */
export function sayMet (notices: Notices, peer: string): void {
  notices.over('no address', 'another site is there')
  notices.over(`refused outbound ${peer}`, `site ${peer} takes this site's handshake now`)
  for (const by of ['us', 'them']) notices.overAll(`certificate ${by} ${peer} `, `site ${peer} and this one accept each other now`)
}

/** One sentence for any number of names, which anybody may invent. */
export function sayUncertified (notices: Notices, peer: string): void {
  notices.warn(
    'uncertified',
    `sites without a certificate of this federation announce themselves (the first: ${peer}): they are not counted; where a site of ` +
      'yours is missing, it runs older software and has not been met yet',
    { forMs: LAPSE_MS.hour }
  )
}

/** A copied home, or a backup beside the running one: what the one commits, the other does not know. */
export function sayTwin (notices: Notices, peer: string): void {
  notices.warn(
    `twin ${peer}`,
    `site ${peer} runs twice at the same time (a copied home?): its people have to stop one of the two`,
    { forMs: LAPSE_MS.minutes }
  )
}

/** `by`: the site that is connected to both; none where this one heard the other itself. */
export function sayTwinHere (notices: Notices, own: string, by?: string): void {
  const source = by == null ? '' : `, says site ${by}`
  notices.warn(
    `twin ${own}`,
    `another process uses the key of this site at the same time, elsewhere (a copied home?)${source}: stop one of the two, since the ` +
      'exchanges of the one are lost to the other; give the copy a key of its own with "consilium init" and an invitation',
    { forMs: LAPSE_MS.minutes }
  )
}

/** Milliseconds; `usualMs` is what exchanges with others took. */
export function saySlow (notices: Notices, partner: string, tookMs: number, usualMs: number | undefined): void {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
  notices.warn(
    `slow ${partner}`,
    `exchanges with site ${partner} cost this site too much time (the last one ${seconds(tookMs)}${
      usualMs == null ? '' : `, with others ${seconds(usualMs)}`
    }): it is asked less often from now on; look at the line between, and ask the people there`,
    { forMs: LAPSE_MS.hour }
  )
}

export function sayBanned ({ notices, audit }: Pick<Init, 'notices' | 'audit'>, peer: string, reason: string, ms: number): void {
  const seconds = Math.round(ms / 1_000)
  const sentence = `site ${peer} was cut off for ${seconds} s, because it ${reason}: ask the people there`
  notices.warn(`banned ${peer} ${seconds}`, sentence, { forMs: ms })
  audit.record({ kind: 'ban', peer, reason, seconds })
}

/** A line that broke, or an address that changed hands, is no refusal. */
export function failedHandshake (
  { notices, audit, logger }: Pick<Init, 'notices' | 'audit' | 'logger'>,
  refusal: FailedHandshake,
  { refused, limits }: { readonly refused: { count: number }, readonly limits: PeerLimits }
): void {
  const { direction, peer, cause } = refusal
  if (direction === 'inbound') limits.handshakeFailed(peer)
  if (!isRefusal(refusal)) {
    logger.info({ direction, peer, cause }, handshakeSentence(refusal))
    return
  }
  refused.count++
  notices.warn(`refused ${direction} ${peer}`, handshakeSentence(refusal), { forMs: LAPSE_MS.hour })
  audit.record({
    kind: 'refusal',
    peer: direction === 'outbound' ? peer : 'unknown',
    what: `${direction} handshake`,
    reason: cause === 'KEY' ? 'no or another network key' : 'not what Noise sends'
  })
}
