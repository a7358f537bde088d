import type { MethodSettings } from '../../settings/method.ts'
import type { UnitState } from '../parameters/private-state.ts'
import { lengths, unlikeness, type Units } from '../parameters/units.ts'

export type UnitSettings = NonNullable<MethodSettings['units']>

/** What a site counts for, and all sites together as far as it knows. */
export interface Masses {
  readonly own: number
  readonly all: number
}

/** What a phase G made of some values. */
export interface Fit {
  readonly value: Float32Array
  /** Half-way through the steps; missing where the phase ended before. */
  readonly middle?: Float32Array | undefined
  readonly loss: number
  readonly steps: number
}

export interface TailoredPhase {
  readonly settings: UnitSettings
  readonly units: Units
  /** None before the first phase. */
  readonly state: UnitState | undefined
  /** The shared adapter, flat. */
  readonly shared: Float32Array
  /** From 1. */
  readonly round: number
  /** None while the site knows of no other. */
  readonly masses?: Masses | undefined
  /** A phase G from these values on. */
  readonly fit: (values: Float32Array) => Promise<Fit>
}

/** Of what a score was, in each round. */
const KEEPS = 0.9
/** Below this part of its own move, what the others did to a unit says nothing. */
const SLIGHT = 0.1

/**
 * One phase G of a site that keeps what is individual of the adapter's units (docs/spec/mixing.md#units): its private copy is trained
 * instead of the shared adapter, and what is common of its move lands. Resolves with what the shared adapter becomes by it.
 */
export async function trainTailored (
  phase: TailoredPhase
): Promise<{ readonly state: UnitState, readonly adapter: Float32Array, readonly loss: number, readonly steps: number }> {
  const { settings, units, shared, round, fit } = phase
  const isKnown = phase.state != null && round <= phase.state.round + 1
  const excess = isKnown ? excessAfter(phase, phase.state) : phase.state?.excess ?? new Float32Array(units.count)
  const individual = round > settings.warmupRounds ? individualOf(excess, settings) : new Float32Array(units.count)
  // Who has taken another's adapter over begins from that.
  const copy = isKnown ? ownFrom(phase.state, shared, units) : shared
  const { value, middle, loss, steps } = await fit(copy)
  const landing = settings.contributes === 'all' ? new Float32Array(units.count) : individual
  const adapter = value.map((each, i) => {
    const share = 1 - landing[units.of[i]!]!
    // So that a site without individual units does what it would do without them, bit for bit.
    return share === 1 && copy[i] === shared[i] ? each : shared[i]! + share * (each - copy[i]!)
  })
  const halves = middle == null ? undefined : [middle.map((each, i) => each - copy[i]!), value.map((each, i) => each - middle[i]!)] as const
  const state: UnitState = {
    copy: value,
    before: shared,
    moved: value.map((each, i) => each - copy[i]!),
    landed: adapter.map((each, i) => each - shared[i]!),
    noise: halves == null ? new Float32Array(units.count).fill(1) : Float32Array.from(unlikeness(...halves, units)),
    excess,
    individual,
    round
  }
  return { state, adapter, loss, steps }
}

/** What the site serves and trains: of individual units its own, of common ones the shared adapter. */
export function ownFrom ({ copy, individual }: UnitState, shared: Float32Array, { of }: Units): Float32Array {
  return copy.map((each, i) => {
    const share = individual[of[i]!]!
    return share * each + (1 - share) * shared[i]!
  })
}

/** What the others landed since, in their mean: exact where all mix fully, else an estimate. */
export function movedByOthers ({ before, landed }: UnitState, shared: Float32Array, { own, all }: Masses): Float32Array {
  return shared.map((each, i) => all > own ? (all * (each - before[i]!) - own * landed[i]!) / (all - own) : 0)
}

/** By how much more a unit moves unlike the others' than one half of its own steps moves unlike the other, smoothed over rounds. */
function excessAfter ({ units, shared, masses = { own: 1, all: 1 } }: TailoredPhase, state: UnitState): Float32Array {
  const others = movedByOthers(state, shared, masses)
  const [unlike, theirs, own] = [unlikeness(state.moved, others, units), lengths(others, units), lengths(state.moved, units)]
  return state.excess.map((each, unit) => {
    const isSlight = theirs[unit]! < SLIGHT * own[unit]! || theirs[unit] === 0
    return KEEPS * each + (isSlight ? 0 : (1 - KEEPS) * (unlike[unit]! - state.noise[unit]!))
  })
}

/** How individual each unit is, 0 to 1: a share of them wholly (binary), or each as far as its excess is above the pivot (smooth). */
export function individualOf (excess: Float32Array, { update, share, pivot, slope }: UnitSettings): Float32Array {
  if (update === 'smooth') return excess.map((each) => 1 / (1 + Math.exp(-slope * (each - pivot))))
  const count = Math.round(share * excess.length)
  const order = [...excess.keys()].sort((one, other) => excess[other]! - excess[one]!)
  const chosen = new Float32Array(excess.length)
  for (const unit of order.slice(0, count)) chosen[unit] = 1
  return chosen
}
