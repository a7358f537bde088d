import type { Clock } from './clock.ts'
import type { Notices } from './notices.ts'

export interface RestoredInit {
  /** When the backup was made, ISO 8601. */
  readonly made: string
  readonly notices: Pick<Notices, 'warn' | 'over'>
  readonly clock: Clock
  /** Another site is there, its round is believed, and nothing is in doubt with it. */
  readonly isMet: () => boolean
  /** The others are in a later round. */
  readonly isBehind: () => boolean
  /** The document that is in force here has no later round. */
  readonly isAtEnd: () => boolean
  /** Takes one of them over. */
  readonly catchUp: () => Promise<void>
}

const POLL_MS = 500
/** One that is too far off for one step takes a few. */
const MOST_STEPS = 10

/**
 * Holds a restored site back until it has met another one and is as far as the others: what it trained since the backup is in their
 * average already, and trained from there again it would count twice. False where the others are in rounds of an amended document that this
 * site does not go on with yet: it is held back again once it does.
 */
export async function takeUp (
  { made, notices, clock, isMet, isBehind, isAtEnd, catchUp }: RestoredInit,
  signal: AbortSignal
): Promise<boolean> {
  notices.warn(
    'restored',
    `this home was restored from a backup of ${made}: training waits for another site, with which it settles what is in doubt and takes ` +
      'over what it has committed since'
  )
  while (!isMet()) await clock.sleep(POLL_MS, signal)
  for (let step = 0; step < MOST_STEPS && isBehind() && !isAtEnd(); step++) {
    await catchUp()
    if (isBehind() && !isAtEnd()) await clock.sleep(POLL_MS, signal)
  }
  if (isBehind() && isAtEnd()) {
    const why = `this home was restored from a backup of ${made}, and the others are in rounds of an amended document: this site takes ` +
      'over what they have once it goes on with that'
    notices.warn('restored', why, { isNews: true })
    return false
  }
  notices.over('restored', 'this site was restored from a backup, and is as far as the others again: training goes on')
  return true
}
