import type { Scores } from '../home/metrics-log.ts'
import { missedBefore } from '../rounds/participation.ts'
import { lastPhases, roundPlan } from '../rounds/plan.ts'
import type { Site } from './site.ts'
import type { TrainerProcess } from './trainer-process.ts'

/**
 * The cool-down moved Γ: experts serve with the very Γ that they were fitted against (docs/spec/pfedsam.md#the-round). A site without
 * labels fits its own for the first time, as often as the others did, and has nothing to score by.
 */
export async function fitOnceMore (
  { federation: { document }, metrics, record: { reads }, logger }: Site,
  trainer: TrainerProcess,
  adapter: Float32Array,
  signal: AbortSignal
): Promise<Partial<Scores>> {
  const { training: { rounds }, method } = document
  const first = method?.pretrain?.rounds ?? 0
  const length = { done: 0, share: 1 }
  const phases = lastPhases(roundPlan(document))
  // In label-free rounds nobody fits experts.
  const missed = phases.length === 0 ? 0 : Math.max(0, (reads ? missedByReader(document) : missedBefore(metrics.records)) - first)
  if (missed > 0 && !reads) logger.info(`this site came ${missed} rounds late: it fits its private experts as often as the others did`)
  for (let nth = 1; nth <= missed + 1; nth++) {
    const late = nth > missed ? {} : { asRound: first + nth }
    for (const phase of phases) await trainer.call('train', { phase, round: rounds + nth, adapter, ...length, ...late }, { signal })
  }
  return reads ? {} : await trainer.call('score', { round: rounds + 1, adapter }, { signal })
}

/** Copies of the adapter are tuned once: what a site chooses by, it has not. */
function missedByReader ({ training: { rounds }, method }: Site['federation']['document']): number {
  return method?.personal === 'copy' ? 0 : rounds
}
