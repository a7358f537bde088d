import type { PeerView } from './status.ts'

/** Nothing where a site speaks of no class, or of others than there are. */
export function byClass (dice: ReadonlyArray<number | undefined> | undefined, classes: readonly string[]): Pick<PeerView, 'classes'> {
  if (dice == null || dice.length !== classes.length) return {}
  return { classes: Object.fromEntries(classes.flatMap((name, i) => dice[i] == null ? [] : [[name, dice[i]]])) }
}
