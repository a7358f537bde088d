import { PrivateSet } from '../../adapter/private-set.ts'
import type { NamedTensor } from '../../adapter/safetensors.ts'
import { SchemaError } from '../../errors.ts'
import { initialExperts, type ExpertSpec } from './expert-set.ts'
import { createLayout, flatten, unflatten, type Layout } from './layout.ts'

/** Λ with its optimiser state; never changed in place, so that a phase that fails leaves no trace. */
export interface ExpertState {
  readonly values: Float32Array
  readonly first: Float32Array
  readonly second: Float32Array
  /** Optimiser steps so far, over all rounds. */
  readonly step: number
}

const FIRST = 'lmoe.optimiser.first'
const SECOND = 'lmoe.optimiser.second'
const STEP = 'lmoe.optimiser.step'

export function initialState (layout: Layout, tensors: readonly ExpertSpec[], seed: number): ExpertState {
  return {
    values: flatten(layout, initialExperts(tensors, seed)),
    first: new Float32Array(layout.size),
    second: new Float32Array(layout.size),
    step: 0
  }
}

/** For the private store alone. */
export function toPrivateSet (layout: Layout, { values, first, second, step }: ExpertState): PrivateSet {
  return new PrivateSet(new Map<string, NamedTensor>([
    ...unflatten(layout, values.slice()),
    [FIRST, { shape: [layout.size], data: first.slice() }],
    [SECOND, { shape: [layout.size], data: second.slice() }],
    [STEP, { shape: [1], data: Float32Array.of(step) }]
  ]))
}

/** The inverse of toPrivateSet. @throws SchemaError when the set is not of this model. */
export function fromPrivateSet (layout: Layout, set: PrivateSet): ExpertState {
  const tensors = set.reveal()
  const whole = createLayout([FIRST, SECOND].map((name) => ({ name, shape: [layout.size] })).concat({ name: STEP, shape: [1] }))
  if (tensors.size !== layout.entries.length + whole.entries.length) {
    throw new SchemaError(
      `the private set holds ${tensors.size} tensors where this model has ${
        layout.entries.length + whole.entries.length
      }: it belongs to another model`
    )
  }
  const record = Object.fromEntries(tensors)
  const values = flatten(layout, record)
  const state = flatten(whole, record)
  return { values, first: state.slice(0, layout.size), second: state.slice(layout.size, 2 * layout.size), step: state.at(-1)! }
}
