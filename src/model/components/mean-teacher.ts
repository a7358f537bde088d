import type { MethodSettings } from '../../settings/method.ts'
import type { HostRecord } from '../../compute/index.ts'
import type { Fitted } from '../../dataset/index.ts'
import { taughtLoss } from '../objectives/edge-weighted.ts'
import { scalar, vector } from '../train/host-records.ts'
import { MovingMean } from '../train/moving-mean.ts'
import type { Component, Term } from './component.ts'
import { unknownOf } from './pseudo-masks.ts'

const TERM: Term = {
  name: 'mean teacher',
  weight: '@byMean',
  loss: (run) => taughtLoss(run.student.masks, { teacher: run.teacher().masks, unknown: unknownOf(run) })
}

/** In phase G the mean of the student over its steps teaches what is not known (docs/spec/weak.md#mean-teacher). */
export const meanTeacher: Component = { name: 'mean-teacher', terms: { G: [TERM] } }

/**
 * What each step of a phase G is fed with, told of the parameters as it finds them: the mean over the steps before, from those of the start
 * on. Nothing where there is no such teacher, or no image without a whole mask.
 */
export function teachingMean (
  settings: MethodSettings['teacher'],
  samples: readonly Fitted[],
  start: Float32Array
): (step: number, now: Float32Array) => HostRecord {
  if (settings == null || settings.weight === 0 || !samples.some(({ kind }) => kind != null)) return () => ({})
  const { ema, weight } = settings
  const mean = new MovingMean(start, ema)
  return (step, now) => ({ '@teacherGamma': vector(mean.at(step, now)), '@byMean': scalar(weight) })
}
