import * as tf from '@tensorflow/tfjs-core'
import type { HostRecord } from '../../compute/index.ts'
import { uncertaintyLoss } from '../objectives/edge-weighted.ts'
import { scalar } from '../train/host-records.ts'
import type { Component, Run, Term } from './component.ts'
import { unknownOf } from './pseudo-masks.ts'

const TERM: Term = { name: 'uncertainty-aware', weight: '@undecided', loss: (run) => uncertaintyLoss(run.student.masks, countsOf(run)) }

/** What is known, and what is believed of the rest; all where all is known. */
function countsOf (run: Run): tf.Tensor | undefined {
  const { known, weights: { '@certainty': certainty } } = run
  return known == null || certainty == null ? known : tf.add(known, tf.mul(certainty, unknownOf(run)))
}

/** In phase G answers are drawn away from undecided, the more the farther the phase is (docs/spec/weak.md#uncertainty-aware-loss). */
export function uncertaintyAware (weight: number): Component {
  return {
    name: 'uncertainty-aware',
    terms: { G: [TERM] },
    feeds: (phase, _batch, _random, { part = 1 }): HostRecord => phase === 'G' ? { '@undecided': scalar(weight * ramp(part)) } : {}
  }
}

/** From 0 to 1 over a phase, slowly at both ends. */
export function ramp (part: number): number {
  return (1 - Math.cos(Math.PI * part)) / 2
}
