import { knownLoss, supervisedLoss } from '../objectives/supervised.ts'
import type { Component, Term } from './component.ts'

const TERM: Term = {
  name: 'supervised',
  loss: ({ student: { masks }, targets, known }) => known == null ? supervisedLoss(masks, targets) : knownLoss(masks, targets, known)
}

/** Cross-entropy and Dice against the masks, in both phases (docs/spec/pfedsam.md#losses). */
export const supervised = { name: 'supervised', terms: { G: [TERM], L: [TERM] } } as const satisfies Component
