import { CONSISTENT_VIEWS } from '../../settings/training.ts'
import { consistencyLoss } from '../objectives/consistency.ts'
import type { Component, Term } from './component.ts'

/** Several views of each image are to have one answer (docs/spec/views.md#consistency). */
export function consistency (weight: number): Component {
  const term: Term = { name: 'consistency', weight, loss: ({ student: { masks } }) => consistencyLoss(masks, CONSISTENT_VIEWS) }
  return { name: 'consistency', terms: { G: [term], L: [term] } }
}
