import { squaredDistance } from '../../src/simulation/measure.ts'
import type { Facts } from '../../src/gossip-aggregation/facts.ts'
import { LEAST_FACTOR, MOST_FACTOR } from '../../src/gossip-aggregation/landing.ts'
import type { RelationState } from '../../src/model/parameters/relation-state.ts'
import type { UnitState } from '../../src/model/parameters/private-state.ts'
import { mixtureFrom, trainRelated, type RelatedPhase } from '../../src/model/train/related.ts'
import { ownFrom, trainTailored, type Fit } from '../../src/model/train/tailored.ts'
import type { MethodSettings } from '../../src/settings/method.ts'
import { idOf } from '../../src/simulation/virtual-daemon.ts'
import { virtualFacts } from '../../src/simulation/virtual-facts.ts'
import type { Learning } from '../../src/simulation/virtual-trainer.ts'

/** By what sites count unlike in what all learn; each with the numbers of its preset. */
export const METHODS = ['robust', 'generalisation', 'units', 'relations', 'clusters'] as const
export type MethodName = typeof METHODS[number]

/** Where a site's own steps lead, from anywhere. */
export type Step = (values: Float32Array, how: Pick<Learning, 'steps' | 'normal'>) => Float32Array

/** A federation's sites as a method sees them, by their ranks. */
export interface Sites {
  readonly count: number
  readonly seed: number
  /** Each's own, of all numbers. */
  readonly optima: readonly Float32Array[]
  readonly step: (rank: number) => Step
  /** Ranks of liars whose core is a lie, along a direction of length 1. */
  readonly lyingCores: ReadonlyMap<number, Float32Array>
}

/** What a method makes of sites; without parts they train, tell and serve as without it. */
export interface Method {
  readonly settings: MethodSettings
  readonly facts: (rank: number, adapter: Float32Array) => Facts
  readonly learn?: (rank: number, adapter: Float32Array, how: Learning) => Promise<Float32Array>
  readonly serve?: (rank: number, adapter: Float32Array) => Float32Array
}

const NOTHING: Facts = {}
/** Numbers of a unit. */
const UNIT = 4
/** As the preset fca has them, but for what lands. */
const UNITS = { update: 'smooth', share: 0.25, pivot: 0.15, slope: 20, warmupRounds: 3, contributes: 'common' } as const
/** As the preset apple has them, but for the rate. */
const RELATIONS = { rate: 1e-3, pull: 0.1, fade: 'exponential', pulled: 0.1, peers: 8, by: 'model' } as const
/** The loss here has another scale than a picture's, and there are fewer steps: 16 a round. */
const RELATION_RATE = 0.02
/** Just within what is used of a core: three times the median of those held. */
const NEARLY_FAR = 2.5

/** Sites of two kinds have these numbers, the last ones, of their own. */
export const OF_KIND = 16
const CLUSTERS = { count: 'auto', own: ['^own'], neighbours: 3, projection: 16, minimum: 5 } as const

export function methodOf (name: MethodName, sites: Sites): Method {
  return MAKE[name](sites)
}

/** What virtual sites of two kinds that take turns say of patients that they do not have, by rank. */
export function toldOf (count: number, seed: number): readonly Facts[] {
  const ids = Array.from({ length: count }, (_, rank) => idOf(rank))
  const { told } = virtualFacts(ids, { clusters: 2, seed })
  return ids.map((id) => told.get(id)!)
}

const MAKE: Readonly<Record<MethodName, (sites: Sites) => Method>> = {
  robust: ({ optima }) => ({
    settings: { robust: { mu: 0.3, excess: true, least: LEAST_FACTOR, most: MOST_FACTOR } },
    // Half of the squared way to the optimum, which is 1 to 1.25 long at the start.
    facts: (rank, adapter) => ({ loss: Float32Array.of(Math.min(1, squaredDistance(adapter, optima[rank]!) / 2)) })
  }),
  generalisation: ({ step }) => ({
    settings: { generalisation: { step: 0.05 } },
    facts: (rank, adapter) => {
      const moved = step(rank)(adapter, { steps: 16, normal: () => 0 })
      return { gap: Float32Array.of(Math.min(1, squaredDistance(adapter, moved) / 2)) }
    }
  }),
  units: ({ optima, step }) => {
    const units = { of: Uint32Array.from(optima[0]!, (_, i) => Math.floor(i / UNIT)), count: optima[0]!.length / UNIT }
    const states = new Map<number, UnitState>()
    return {
      settings: { units: UNITS },
      facts: () => NOTHING,
      learn: async (rank, shared, { steps, normal, round, masses }) => {
        const fit = async (values: Float32Array): Promise<Fit> => {
          const middle = step(rank)(values, { steps: steps / 2, normal })
          return { value: step(rank)(middle, { steps: steps / 2, normal }), middle, loss: 0, steps }
        }
        const { state, adapter } = await trainTailored({ settings: UNITS, units, state: states.get(rank), shared, round, masses, fit })
        states.set(rank, state)
        return adapter
      },
      serve: (rank, shared) => {
        const state = states.get(rank)
        return state == null ? shared : ownFrom(state, shared, units)
      }
    }
  },
  relations: (sites) => related(sites),
  clusters: ({ count, seed }) => {
    const told = toldOf(count, seed)
    return { settings: { clusters: { ...CLUSTERS, own: [...CLUSTERS.own] } }, facts: (rank) => told[rank]! }
  }
}

/** Everybody sees everybody's core as it is after its last phase; what a liar shows is a lie. */
function related ({ count, optima, step, lyingCores }: Sites): Method {
  const sizes = { size: optima[0]!.length, layers: [optima[0]!.length], others: RELATIONS.peers }
  const states = new Map<number, RelationState>()
  const shown = (rank: number, shared: Float32Array): RelatedPhase['cores'] => {
    const others = Array.from({ length: count - 1 }, (_, i) => (rank + 1 + i) % count)
    const honest = [...states].filter(([other]) => !lyingCores.has(other)).map(([, { core }]) => Math.sqrt(squaredDistance(core, shared)))
    const far = NEARLY_FAR * honest.sort((a, b) => a - b)[Math.floor(honest.length / 2)]!
    return others.flatMap((other) => {
      const [state, lie] = [states.get(other), lyingCores.get(other)]
      if (state == null) return []
      return [{ peer: idOf(other), values: lie == null ? state.core : shared.map((each, i) => each + far * lie[i]!) }]
    }).slice(0, RELATIONS.peers)
  }
  return {
    settings: { relations: RELATIONS },
    facts: () => NOTHING,
    learn: async (rank, shared, { steps, normal, round }) => {
      const fit: RelatedPhase['fit'] = async (values, fixed) =>
        ({ value: descend(values, fixed, { step: step(rank), steps, normal }), loss: 0, steps })
      const { state, adapter } = await trainRelated({ sizes, state: states.get(rank), shared, round, cores: shown(rank, shared), fit })
      states.set(rank, state)
      return adapter
    },
    serve: (rank, shared) => {
      const state = states.get(rank)
      return state == null ? shared : mixtureFrom(state, shared, sizes)
    }
  }
}

/** Of the core by the step of the mixture, of relations by that step along each departure (docs/spec/mixing.md#relations). */
function descend (
  joined: Float32Array,
  fixed: Parameters<RelatedPhase['fit']>[1],
  { step, steps, normal }: Pick<Learning, 'steps' | 'normal'> & { readonly step: Step }
): Float32Array {
  const values = joined.slice()
  const [shared, before, departures] = ['@shared', '@before', '@departures'].map((name) => fixed[name]!.data as Float32Array)
  const { length } = shared!
  for (let done = 0; done < steps; done++) {
    const relations = values.slice(length)
    const own = 1 - relations.reduce((sum, each) => sum + each, 0) + relations[0]!
    const mixture = shared!.map((each, i) => each + own * (values[i]! - before![i]!) +
      relations.reduce((sum, part, row) => sum + part * departures![row * length + i]!, 0))
    const moved = step(mixture, { steps: 1, normal }).map((each, i) => each - mixture[i]!)
    for (let i = 0; i < length; i++) values[i]! += own * moved[i]!
    relations.forEach((part, row) => {
      const along = moved.reduce((sum, each, i) => sum + each * departures![row * length + i]!, 0)
      values[length + row] = part + RELATION_RATE * along
    })
  }
  return values
}
