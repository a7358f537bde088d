import type { Serves } from '../settings/method.ts'
import type { Dice } from './metrics-log.ts'

const SERVED: Readonly<Record<Serves, string>> = {
  tuned: 'it serves the shared adapter with a part of what it learnt on top of it',
  alone: 'it serves what it trained alone'
}

/** What joining brings a site, in points of Dice on its own validation images, and what it serves; nothing where that is not known. */
export function joiningInWords ({ personal, alone, serves }: Dice): string {
  if (alone == null) return ''
  const points = 100 * (personal - alone)
  const served = serves == null ? 'what it serves is not chosen yet' : SERVED[serves]
  return `joining gives this site ${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)} points; ${served}`
}
