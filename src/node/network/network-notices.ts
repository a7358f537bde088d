import { LAPSE_MS, type Notices } from '../../rounds/notices.ts'

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
export function sayTwin (notices: Notices, peer: string, isOwn: boolean): void {
  notices.warn(
    `twin ${peer}`,
    isOwn
      ? 'another process uses the key of this site at the same time, elsewhere (a copied home?): stop one of the two, since the ' +
        'exchanges of the one are lost to the other; give the copy a key of its own with "consilium init" and an invitation'
      : `site ${peer} runs twice at the same time (a copied home?): its people have to stop one of the two`,
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
