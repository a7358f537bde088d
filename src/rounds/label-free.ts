import type { Notices } from './notices.ts'

/** Label-free rounds until then may bring images near each other. */
const FROM = 4
/** Below it a model tells no image from another (docs/spec/label-free.md#collapse). */
const LEAST_SPREAD = 0.01

/** After a label-free round with this spread, or undefined after one that looked at labels. */
export function saySpread (notices: Pick<Notices, 'warn' | 'over'>, round: number, spread: number | undefined): void {
  if (spread == null) {
    notices.over('collapse', 'rounds look at labels now: whether images look alike without them counts no more')
  } else if (round >= FROM && spread < LEAST_SPREAD) {
    notices.warn(
      'collapse',
      `after round ${round} all images of this site look alike to the model that learns without labels (spread ${spread.toFixed(4)}): ` +
        'what these rounds brought may be worth nothing; take more of method.pretrain.align or a lower rate in the next federation'
    )
  } else {
    notices.over('collapse', 'the model that learns without labels tells the images of this site apart again')
  }
}
