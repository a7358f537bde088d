import { PrivateSet } from '../../adapter/private-set.ts'
import type { NamedTensor } from '../../adapter/safetensors.ts'
import { SchemaError } from '../../errors.ts'
import { initialExperts } from './expert-set.ts'
import type { Parameter } from './groups.ts'
import { createLayout, flatten, unflatten, type Layout } from './layout.ts'

/** What a site trains and never sends; never changed in place, so that a phase that fails leaves no trace. */
export interface PrivateState {
  /** Λ with its optimiser state. */
  readonly experts: ExpertState
  /** Global parameters that the method keeps. */
  readonly kept: Float32Array
}

export interface ExpertState {
  readonly values: Float32Array
  readonly first: Float32Array
  readonly second: Float32Array
  /** Optimiser steps so far, over all rounds. */
  readonly step: number
}

/** How the parts of a private state lie as flat vectors. */
export interface PrivateLayouts {
  readonly experts: Layout
  readonly kept: Layout
}

const FIRST = 'lmoe.optimiser.first'
const SECOND = 'lmoe.optimiser.second'
const STEP = 'lmoe.optimiser.step'
/** Begins the names of kept global parameters in the private set: an adapter's schema refuses it. */
const OWN = 'own.'

export function initialExpertState (layout: Layout, parameters: readonly Parameter[], seed: number): ExpertState {
  return {
    values: flatten(layout, initialExperts(parameters, seed)),
    first: new Float32Array(layout.size),
    second: new Float32Array(layout.size),
    step: 0
  }
}

/** For the private store alone. */
export function toPrivateSet ({ experts: layout, kept }: PrivateLayouts, state: PrivateState): PrivateSet {
  const { values, first, second, step } = state.experts
  return new PrivateSet(new Map<string, NamedTensor>([
    ...unflatten(layout, values.slice()),
    [FIRST, { shape: [layout.size], data: first.slice() }],
    [SECOND, { shape: [layout.size], data: second.slice() }],
    [STEP, { shape: [1], data: Float32Array.of(step) }],
    ...unflatten(owned(kept), state.kept.slice())
  ]))
}

/** The inverse of toPrivateSet. @throws SchemaError when the set is not of this model. */
export function fromPrivateSet ({ experts: layout, kept }: PrivateLayouts, set: PrivateSet): PrivateState {
  const tensors = set.reveal()
  const moments = createLayout([FIRST, SECOND].map((name) => ({ name, shape: [layout.size] })).concat({ name: STEP, shape: [1] }))
  const wanted = layout.entries.length + moments.entries.length + kept.entries.length
  if (tensors.size !== wanted) {
    throw new SchemaError(`the private set holds ${tensors.size} tensors where this model has ${wanted}: it belongs to another model`)
  }
  const record = Object.fromEntries(tensors)
  const state = flatten(moments, record)
  const experts = {
    values: flatten(layout, record),
    first: state.slice(0, layout.size),
    second: state.slice(layout.size, 2 * layout.size),
    step: state.at(-1)!
  }
  return { experts, kept: flatten(owned(kept), record) }
}

function owned (layout: Layout): Layout {
  return createLayout(layout.entries.map(({ name, shape }) => ({ name: OWN + name, shape })))
}
