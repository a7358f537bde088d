import { PrivateSet } from '../../adapter/private-set.ts'
import type { NamedTensor } from '../../adapter/safetensors.ts'
import { SchemaError } from '../../errors.ts'
import { SERVES } from '../../settings/method.ts'
import type { Candidate } from '../train/own-copy.ts'
import { driftFrom, driftLayout, driftTensors, type DriftState } from './drift.ts'
import { mixFrom, mixLayout, mixTensors, type MixedParts, type MixState } from './element-mix.ts'
import { initialExperts } from './expert-set.ts'
import type { Parameter } from './groups.ts'
import { createLayout, flatten, unflatten, type Layout } from './layout.ts'
import { relationLayout, relationsFrom, relationTensors, type RelationState } from './relation-state.ts'
import type { RelationSizes } from './relations.ts'

/** What a site trains and never sends; never changed in place, so that a phase that fails leaves no trace. */
export interface PrivateState {
  /** Λ with its optimiser state. */
  readonly experts: ExpertState
  /** Global parameters that the method keeps. */
  readonly kept: Float32Array
  /** Only where the method has a copy instead of experts. */
  readonly copy?: CopyState | undefined
  /** Only where the method has individual units, after the first phase. */
  readonly units?: UnitState | undefined
  /** Only where the method has relations, after the first phase. */
  readonly relations?: RelationState | undefined
  /** Only where the method mixes number by number, after the first phase. */
  readonly mix?: MixState | undefined
  /** Only where sites stay with a part of their own encoder, after the first label-free round. */
  readonly drift?: DriftState | undefined
  /** How unsure teachers may be, in nats; only where the method has them, once the site has one of its own. */
  readonly threshold?: number | undefined
}

/** Global parameters that are this site's own, flat, as they are trained. */
export interface CopyState {
  /** What the site would have without the others: trained from the common start on its own images alone. */
  readonly alone: Float32Array
  /** Steps of it so far. */
  readonly steps: number
  /** What it learnt at home on top of the shared adapter: a difference. */
  readonly own: Float32Array
  /** How much of that it serves, 0 to 1, once it has chosen. */
  readonly part?: number | undefined
  /** What the site serves, once it has chosen; of the shared adapter as it was when it was best here. */
  readonly served?: Candidate | undefined
}

/** What a site knows of the units of its adapter; flat vectors as they are trained, or one number for each unit. */
export interface UnitState {
  /** Trained in place of the shared adapter. */
  readonly copy: Float32Array
  /** The shared adapter when the last phase began. */
  readonly before: Float32Array
  /** What the last phase moved the copy by, and what of that landed. */
  readonly moved: Float32Array
  readonly landed: Float32Array
  /** By unit: how unlike the halves of that move are. */
  readonly noise: Float32Array
  /** By unit: by how much more it moves unlike the others'. */
  readonly excess: Float32Array
  /** By unit: how individual it is, 0 to 1. */
  readonly individual: Float32Array
  /** Of the last phase; 0 before the first. */
  readonly round: number
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
  /** Numbers of a copy of the global parameters; 0 where the method has none. */
  readonly copy: number
  /** Numbers, and units, where the method has individual ones. */
  readonly units?: { readonly size: number, readonly count: number } | undefined
  /** Where the method has relations. */
  readonly relations?: RelationSizes | undefined
  /** Where the method mixes number by number. */
  readonly mix?: MixedParts | undefined
  /** Where label-free rounds begin at a part of a site's own encoder. */
  readonly drift?: MixedParts | undefined
  /** A site finds how unsure its teachers may be. */
  readonly threshold?: boolean
}

const FIRST = 'lmoe.optimiser.first'
const SECOND = 'lmoe.optimiser.second'
const STEP = 'lmoe.optimiser.step'
const ALONE = 'own.copy.alone'
const UPDATE = 'own.copy.update'
const FACTS = 'own.copy.facts'
const SERVED = 'own.copy.served'
const THRESHOLD = 'own.teachers.threshold'
const THRESHOLD_LAYOUT = createLayout([{ name: THRESHOLD, shape: [1] }])
/** No threshold of its own. */
const NONE = -1
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
export function toPrivateSet (layouts: PrivateLayouts, state: PrivateState): PrivateSet {
  const { experts: layout, kept, copy: size, units, relations, mix, drift, threshold = false } = layouts
  const { values, first, second, step } = state.experts
  return new PrivateSet(new Map<string, NamedTensor>([
    ...unflatten(layout, values.slice()),
    [FIRST, { shape: [layout.size], data: first.slice() }],
    [SECOND, { shape: [layout.size], data: second.slice() }],
    [STEP, { shape: [1], data: Float32Array.of(step) }],
    ...unflatten(owned(kept), state.kept.slice()),
    ...(state.copy == null ? [] : copyTensors(state.copy, size)),
    ...(units == null ? [] : unitTensors(units, state.units)),
    ...(relations == null ? [] : relationTensors(relations, state.relations)),
    ...(mix == null ? [] : mixTensors(mix, state.mix)),
    ...(drift == null ? [] : driftTensors(drift, state.drift)),
    ...(threshold ? [[THRESHOLD, { shape: [1], data: Float32Array.of(state.threshold ?? NONE) }] as const] : [])
  ]))
}

/** The inverse of toPrivateSet. @throws SchemaError when the set is not of this model. */
export function fromPrivateSet (layouts: PrivateLayouts, set: PrivateSet): PrivateState {
  const { experts: layout, kept } = layouts
  const tensors = set.reveal()
  const moments = createLayout([FIRST, SECOND].map((name) => ({ name, shape: [layout.size] })).concat({ name: STEP, shape: [1] }))
  const more = layoutsOfMethod(layouts).reduce((sum, { entries }) => sum + entries.length, 0)
  const wanted = layout.entries.length + moments.entries.length + kept.entries.length + more
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
  return { experts, kept: flatten(owned(kept), record), ...ofMethod(record, layouts) }
}

function ofMethod (
  record: Record<string, NamedTensor>,
  { copy, units, relations, mix, drift, threshold = false }: PrivateLayouts
): Omit<PrivateState, 'experts' | 'kept'> {
  const [unsure = NONE] = threshold ? flatten(THRESHOLD_LAYOUT, record) : []
  const state = {
    copy: copy === 0 ? undefined : copyFrom(record, copy),
    units: units == null ? undefined : unitsFrom(record, units),
    relations: relations == null ? undefined : relationsFrom(record, relations),
    mix: mix == null ? undefined : mixFrom(record, mix),
    drift: drift == null ? undefined : driftFrom(record, drift),
    threshold: unsure === NONE ? undefined : unsure
  }
  return Object.fromEntries(Object.entries(state).filter(([, value]) => value != null))
}

function layoutsOfMethod ({ copy, units, relations, mix, drift, threshold = false }: PrivateLayouts): Layout[] {
  return [
    ...(copy === 0 ? [] : [copyLayout(copy)]),
    ...(units == null ? [] : [unitLayout(units)]),
    ...(relations == null ? [] : [relationLayout(relations)]),
    ...(mix == null ? [] : [mixLayout(mix)]),
    ...(drift == null ? [] : [driftLayout(drift)]),
    ...(threshold ? [THRESHOLD_LAYOUT] : [])
  ]
}

type UnitSizes = NonNullable<PrivateLayouts['units']>

const UNIT_VECTORS = ['copy', 'before', 'moved', 'landed'] as const
const UNIT_SCORES = ['noise', 'excess', 'individual'] as const

function unitLayout ({ size, count }: UnitSizes): Layout {
  return createLayout([
    ...UNIT_VECTORS.map((name) => ({ name: `own.units.${name}`, shape: [size] })),
    ...UNIT_SCORES.map((name) => ({ name: `own.units.${name}`, shape: [count] })),
    { name: 'own.units.round', shape: [1] }
  ])
}

/** Zeros before the first phase. */
function unitTensors (sizes: UnitSizes, state: UnitState | undefined): [string, NamedTensor][] {
  return unitLayout(sizes).entries.map(({ name, shape, size }) => {
    const key = name.slice('own.units.'.length) as keyof UnitState
    const value = state?.[key]
    const data = typeof value === 'number' ? Float32Array.of(value) : value?.slice() ?? new Float32Array(size)
    return [name, { shape, data }]
  })
}

function unitsFrom (record: Record<string, NamedTensor>, sizes: UnitSizes): UnitState | undefined {
  const tensors = unflatten(unitLayout(sizes), flatten(unitLayout(sizes), record))
  const of = (name: keyof UnitState): Float32Array => tensors.get(`own.units.${name}`)!.data.slice()
  const [round = 0] = of('round')
  if (round === 0) return undefined
  const [copy, before, moved, landed] = [of('copy'), of('before'), of('moved'), of('landed')]
  return { copy, before, moved, landed, noise: of('noise'), excess: of('excess'), individual: of('individual'), round }
}

function copyLayout (size: number): Layout {
  const copies = [ALONE, UPDATE, SERVED].map((name) => ({ name, shape: [size] }))
  return createLayout([...copies, { name: FACTS, shape: [3] }])
}

function copyTensors ({ alone, steps, own, part = 0, served }: CopyState, size: number): [string, NamedTensor][] {
  return [
    [ALONE, { shape: [size], data: alone.slice() }],
    [UPDATE, { shape: [size], data: own.slice() }],
    [SERVED, { shape: [size], data: (served?.values ?? alone).slice() }],
    [FACTS, { shape: [3], data: Float32Array.of(steps, served == null ? 0 : 1 + SERVES.indexOf(served.serves), part) }]
  ]
}

function copyFrom (record: Record<string, NamedTensor>, size: number): CopyState {
  const flat = flatten(copyLayout(size), record)
  const copy = (nth: number): Float32Array => flat.slice(nth * size, (nth + 1) * size)
  const [alone, own, values] = [copy(0), copy(1), copy(2)]
  const [steps, chosen, part] = flat.subarray(3 * size) as unknown as [number, number, number]
  const serves = SERVES[chosen - 1]
  return serves == null ? { alone, own, steps } : { alone, own, steps, part, served: { serves, values } }
}

function owned (layout: Layout): Layout {
  return createLayout(layout.entries.map(({ name, shape }) => ({ name: OWN + name, shape })))
}
