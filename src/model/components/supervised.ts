import { supervisedLoss } from '../objectives/supervised.ts'
import type { Component, Term } from './component.ts'

const TERM: Term = { name: 'supervised', loss: ({ student, targets }) => supervisedLoss(student.masks, targets) }

/** Cross-entropy and Dice against the masks, in both phases (docs/spec/pfedsam.md#losses). */
export const supervised = { name: 'supervised', terms: { G: [TERM], L: [TERM] } } as const satisfies Component
