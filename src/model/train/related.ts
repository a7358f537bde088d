import { createHash } from 'node:crypto'
import { mean } from '../../common/mean.ts'
import { median } from '../../common/median.ts'
import type { HostRecord } from '../../compute/index.ts'
import type { RelationState } from '../parameters/relation-state.ts'
import { layersOf, relationCount, type RelationSizes } from '../parameters/relations.ts'
import { scalar, vector } from './host-records.ts'
import type { Fit } from './tailored.ts'

/** What another site shows of its own training. */
interface Core {
  readonly peer: string
  readonly values: Float32Array
}

export interface RelatedPhase {
  readonly sizes: RelationSizes
  /** None before the first phase. */
  readonly state: RelationState | undefined
  /** The shared adapter, flat. */
  readonly shared: Float32Array
  /** From 1. */
  readonly round: number
  readonly cores: readonly Core[]
  /** A phase G from the own core and relations on, in one vector, beside what of the mixture is fixed. */
  readonly fit: (values: Float32Array, fixed: HostRecord) => Promise<Fit>
}

interface Related {
  readonly state: RelationState
  /** What the shared adapter becomes: what the own core moved by lands. */
  readonly adapter: Float32Array
  readonly loss: number
  readonly steps: number
  /** Whose cores are too far off to be used. */
  readonly unused: readonly string[]
}

/**
 * How much of the average moves with the own core, in training: all of it. By what the site counts for, as the authors have it, AdamW
 * would move each core as far as if it were alone, and all of them together the average too far (docs/spec/mixing.md#relations).
 */
const MOVES_ALONG = 1

/** A core farther from the shared adapter than so many times the median is none that training makes. */
const FAR = 3

/**
 * One phase G of a site that serves a mixture of its own core, those of others and the average, and learns which
 * (docs/spec/mixing.md#relations).
 */
export async function trainRelated (phase: RelatedPhase): Promise<Related> {
  const { sizes, state, shared, round, cores, fit } = phase
  const unused = farCores(cores, shared, state?.core)
  const used = cores.filter(({ peer }) => !unused.includes(peer))
  const start = state?.core ?? shared
  const { places, peers } = placed(used, state, sizes)
  const relations = state == null ? new Float32Array(relationCount(sizes)) : withoutStrangers(state, peers, sizes)
  const departures = departuresOf([start, ...places], shared)
  const held = Float32Array.from([start, ...places], (each) => each == null ? 0 : 1)
  const joined = new Float32Array(start.length + relations.length)
  joined.set(start)
  joined.set(relations, start.length)
  const { value, loss, steps } = await fit(joined, {
    '@shared': vector(shared),
    '@before': vector(start),
    '@departures': { shape: [1 + sizes.others, start.length], data: departures },
    '@held': vector(held),
    '@prior': scalar(MOVES_ALONG)
  })
  const [core, learnt] = [value.slice(0, start.length), value.slice(start.length)]
  const adapter = core.map((each, i) => shared[i]! + (each - start[i]!))
  const next = { core, relations: learnt, peers, ...lentBy([core, ...places], learnt, sizes), round }
  return { state: next, adapter, loss, steps, unused }
}

/** What the site serves, from what it takes of cores and what is left of the shared adapter. */
export function mixtureFrom ({ lent, taken }: RelationState, shared: Float32Array, sizes: RelationSizes): Float32Array {
  const layers = layersOf(sizes)
  return shared.map((each, i) => each * (1 - taken[layers[i]!]!) + lent[i]!)
}

/** What is taken of the own core, and of those of other sites by their names: means over layers, 0 of a site that has no place. */
export function relationsTo (
  { relations, peers }: Pick<RelationState, 'relations' | 'peers'>,
  names: readonly string[]
): { readonly own: number, readonly others: readonly number[] } {
  const layers = relations.length / (1 + peers.length / 2)
  const of = (row: number): number => mean([...relations.subarray(row * layers, (row + 1) * layers)])
  const places = names.map((name) => placeOf(peers, peerMark(name)))
  return { own: of(0), others: places.map((place) => place == null ? 0 : of(1 + place)) }
}

function placeOf (peers: Float32Array, mark: Float32Array): number | undefined {
  return Array.from({ length: peers.length / 2 }, (_, place) => place).find((place) =>
    peers[2 * place] === mark[0] && peers[2 * place + 1] === mark[1])
}

/** Of those that are held, who is farther from the shared adapter than three times the median, the own core among them. */
export function farCores (cores: readonly Core[], shared: Float32Array, own: Float32Array | undefined): string[] {
  const distances = cores.map(({ values }) => distance(values, shared))
  const middle = median([...distances, ...(own == null ? [] : [distance(own, shared)])])
  return cores.filter((_, i) => distances[i]! > FAR * middle).map(({ peer }) => peer)
}

function distance (one: Float32Array, other: Float32Array): number {
  return Math.sqrt(one.reduce((sum, each, i) => sum + (each - other[i]!) ** 2, 0))
}

/**
 * Each core at the place where the relations to its site lie. A new site takes an empty place, or that of one that shows nothing any more.
 */
function placed (
  cores: readonly Core[],
  state: RelationState | undefined,
  { others }: RelationSizes
): { readonly places: (Float32Array | undefined)[], readonly peers: Float32Array } {
  const peers = state?.peers.slice() ?? new Float32Array(2 * others)
  const at = (place: number): string => peers.subarray(2 * place, 2 * place + 2).join()
  const places = new Array<Float32Array | undefined>(others).fill(undefined)
  const known = new Set(cores.map(({ peer }) => peerMark(peer).join()))
  for (const { peer, values } of cores) {
    const mark = peerMark(peer)
    const all = [...places.keys()]
    const place = all.find((each) => at(each) === mark.join()) ?? all.find((each) => at(each) === EMPTY) ??
      all.find((each) => !known.has(at(each)))
    if (place == null) continue
    peers.set(mark, 2 * place)
    places[place] = values
  }
  return { places, peers }
}

const EMPTY = '0,0'

/** 48 bits of a hash, as two numbers that float32 holds. */
function peerMark (peer: string): Float32Array {
  const hash = createHash('sha256').update(peer).digest()
  return Float32Array.of(hash.readUIntBE(0, 3), hash.readUIntBE(3, 3))
}

/** Relations to a site are not taken over by another one that has its place now. */
function withoutStrangers (state: RelationState, peers: Float32Array, { layers: { length }, others }: RelationSizes): Float32Array {
  const relations = state.relations.slice()
  for (let place = 0; place < others; place++) {
    const isSame = [0, 1].every((each) => state.peers[2 * place + each] === peers[2 * place + each])
    if (!isSame) relations.fill(0, (1 + place) * length, (2 + place) * length)
  }
  return relations
}

function departuresOf (cores: readonly (Float32Array | undefined)[], shared: Float32Array): Float32Array {
  const departures = new Float32Array(cores.length * shared.length)
  for (const [row, core] of cores.entries()) {
    if (core != null) departures.set(core.map((each, i) => each - shared[i]!), row * shared.length)
  }
  return departures
}

/** Σ a_j·u_j, and Σ a_j by layer, over the cores that are held. */
function lentBy (
  cores: readonly (Float32Array | undefined)[],
  relations: Float32Array,
  sizes: RelationSizes
): Pick<RelationState, 'lent' | 'taken'> {
  const { layers: { length } } = sizes
  const [lent, taken, layers] = [new Float32Array(sizes.size), new Float32Array(length), layersOf(sizes)]
  for (const [row, core] of cores.entries()) {
    if (core == null) continue
    const of = (layer: number): number => relations[row * length + layer]!
    for (let layer = 0; layer < length; layer++) taken[layer]! += of(layer)
    for (let i = 0; i < core.length; i++) lent[i]! += of(layers[i]!) * core[i]!
  }
  return { lent, taken }
}
