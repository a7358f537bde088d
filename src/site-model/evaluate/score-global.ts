import type { Adapter } from '../../adapter/adapter.ts'
import type { LabelMap, Slice } from '../../dataset/index.ts'
import { summariseClass, type ClassSummary } from '../../model/scores/class-summary.ts'
import type { Learner } from '../../model/train/learner.ts'
import type { FederationSettings } from '../../settings/federation-settings.ts'
import { scoreGlobalCase, type NamedScore } from './score-cases.ts'
import { casesOf } from './site-cases.ts'

export interface GlobalModel {
  readonly learner: Learner
  readonly adapter: Adapter
  readonly labels: LabelMap | undefined
  readonly training: FederationSettings['training']
}

/** The global model over patients, by class. `tolerance`: NSD's, in mm, or in pixels where no voxel size is known. */
export async function scoreGlobal (
  slices: readonly Slice[],
  { learner, adapter, labels, training }: GlobalModel,
  tolerance: number
): Promise<Record<string, ClassSummary>> {
  const scores: NamedScore[] = []
  const options = { learner, adapter, labels, tolerance, needsBox: training.prompt === 'box' }
  for (const each of casesOf(slices)) scores.push(...await scoreGlobalCase(each, options))
  return Object.fromEntries([...Map.groupBy(scores, (each) => each.class)].map(([name, own]) => [name, summariseClass(own, training.seed)]))
}
