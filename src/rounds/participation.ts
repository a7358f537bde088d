import { NO_STEPS, type Steps } from '../gossip-aggregation/unmixed.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'

/** Training images that so many steps of phase G have gone through at least once: a site repeats none before it has seen all. */
export function imagesSeen ({ trained }: Steps, images: number, { batchSize }: Pick<FederationSettings['training'], 'batchSize'>): number {
  return Math.min(images, trained * batchSize)
}

/** Rounds of the federation that had passed when a site joined it. */
export function missedBefore ([first]: readonly { readonly round: number }[]): number {
  return first == null ? 0 : first.round - 1
}

/** When a site ends: what has reached nobody by now never will. */
export function finalSteps ({ trained, arrived }: Steps): Steps {
  return { trained, arrived, lost: trained - arrived }
}

/**
 * At a start: what the checkpoint says, and what the last finished round said. Steps of finished rounds that no checkpoint holds any more
 * are lost, unless they had arrived.
 */
export function recoveredSteps (saved: Steps = NO_STEPS, finished: Steps = NO_STEPS): Steps {
  return {
    trained: Math.max(saved.trained, finished.trained),
    arrived: Math.max(saved.arrived, finished.arrived),
    lost: saved.lost + Math.max(0, finished.trained - Math.max(saved.trained, finished.arrived))
  }
}
