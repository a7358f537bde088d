import type { HostRecord } from '../../compute/index.ts'
import type { TrainPhase } from '../../settings/method.ts'
import type { TrainSettings } from '../../settings/training.ts'
import { ratesOf, trainedIn, type ParameterGroup } from '../parameters/groups.ts'
import type { Layout } from '../parameters/layout.ts'
import { vector } from './host-records.ts'

/** @rate and @decay of every number that a phase trains; `apart`: of so many more at the end, which do not decay. */
export function phaseRates (
  layout: Layout,
  phase: TrainPhase,
  groups: readonly ParameterGroup[],
  train: TrainSettings,
  apart = { count: 0, rate: 0 }
): HostRecord {
  const { rate, decay } = ratesOf(layout, trainedIn(phase, groups), train)
  const longer = (values: Float32Array, rest: number): Float32Array => {
    const all = new Float32Array(values.length + apart.count).fill(rest)
    all.set(values)
    return all
  }
  return { '@rate': vector(longer(rate, apart.rate)), '@decay': vector(longer(decay, 0)) }
}
