import type { FederationSettings } from '../settings/federation-settings.ts'
import type { MethodSettings, TrainPhase } from '../settings/method.ts'

/** What a site trains in one round, before and after its exchanges, in this order. */
export interface RoundPlan {
  readonly before: readonly TrainPhase[]
  readonly after: readonly TrainPhase[]
}

/** What whoever follows a plan can do. */
export interface RoundSteps {
  readonly train: (phase: TrainPhase) => Promise<void>
  readonly exchange: () => Promise<void>
}

interface Planned {
  readonly model: Pick<FederationSettings['model'], 'moe'>
  readonly training: Pick<FederationSettings['training'], 'order' | 'epochsL'>
  readonly method?: MethodSettings | undefined
}

/** The plan of a federation's method: what is a site's own, where it has anything, is fitted after the exchange or before it. */
export function roundPlan ({ model: { moe }, training: { order, epochsL }, method }: Planned): RoundPlan {
  const isOwn = moe.blocks.length > 0 || method?.personal === 'copy'
  const own: readonly TrainPhase[] = isOwn && epochsL !== 0 ? ['L'] : []
  return order === 'GL-local' ? { before: ['G', ...own], after: [] } : { before: ['G'], after: own }
}

/** Phases that are trained once more when the last exchange is over: those that leave the adapter alone, since they serve with it. */
export function lastPhases ({ before, after }: RoundPlan): TrainPhase[] {
  return [...before, ...after].filter((phase) => phase !== 'G')
}

/** One round, as daemon and experiment both have it. */
export async function followPlan ({ before, after }: RoundPlan, { train, exchange }: RoundSteps): Promise<void> {
  for (const phase of before) await train(phase)
  await exchange()
  for (const phase of after) await train(phase)
}
