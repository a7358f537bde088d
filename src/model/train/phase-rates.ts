import type { HostRecord } from '../../compute/index.ts'
import type { TrainPhase } from '../../settings/method.ts'
import type { TrainSettings } from '../../settings/training.ts'
import { ratesOf, trainedIn, type ParameterGroup } from '../parameters/groups.ts'
import type { Layout } from '../parameters/layout.ts'
import { vector } from './host-records.ts'

/** @rate and @decay of every number that a phase trains. */
export function phaseRates (layout: Layout, phase: TrainPhase, groups: readonly ParameterGroup[], train: TrainSettings): HostRecord {
  const { rate, decay } = ratesOf(layout, trainedIn(phase, groups), train)
  return { '@rate': vector(rate), '@decay': vector(decay) }
}
