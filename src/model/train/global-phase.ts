import { Adapter } from '../../adapter/adapter.ts'
import { seededRandom } from '../../common/random.ts'
import type { HostRecord } from '../../compute/index.ts'
import { SITE_VECTOR } from '../../settings/facts.ts'
import { mixedOf, mixtureOf, type MixedParts } from '../parameters/element-mix.ts'
import type { PrivateState } from '../parameters/private-state.ts'
import type { RelationSizes } from '../parameters/relations.ts'
import { firstVector, VECTOR, withinBounds } from '../parameters/site-selection.ts'
import type { Units } from '../parameters/units.ts'
import { learnTaken, type Slope } from './learn-mix.ts'
import type { PhaseArgs, PhaseResult } from './learner-args.ts'
import { trainRelated } from './related.ts'
import type { Serving } from './served.ts'
import { trainTailored, type Fit } from './tailored.ts'
import { teachersOf, type Teachers } from './teachers.ts'

interface GlobalPhase {
  readonly serving: Serving
  readonly state: PrivateState
  readonly args: PhaseArgs
  /** Steps of a whole round. */
  readonly ofRound: number
  /** All steps of a phase G on all global parameters, flat, beside what of them is fixed and who teaches what is not known. */
  readonly fit: (values: Float32Array, beside?: { readonly fixed?: HostRecord, readonly teachers?: Teachers | undefined }) => Promise<Fit>
  /** Of the supervised loss at all global parameters, on the next batch; only where the method mixes number by number. */
  readonly slopes: () => (values: Float32Array) => Promise<Slope>
  /** No image of the site says anything: it goes through the steps, so as not to run ahead of the others, and lands nothing. */
  readonly isMute: boolean
}

/** What became of a phase G. */
export interface Landing {
  readonly state: PrivateState
  /** What the phase left, averaged with nobody's: the shared adapter, or the site's own. */
  readonly core: Float32Array | undefined
  readonly result: PhaseResult
}

/** Stream of the site's seed of which its first vector is. */
const FIRST_VECTOR = 0x517e

/** One phase G as the method has it: what the shared adapter becomes by it, and what stays at the site. */
export async function trainGlobal (phase: GlobalPhase): Promise<Landing> {
  const { serving: { units, relations, mix }, isMute } = phase
  if (isMute) return await muted(phase)
  if (units != null) return await tailored(phase, units)
  if (relations != null) return await related(phase, relations)
  return mix == null ? await plain(phase) : await mixed(phase, mix)
}

async function muted ({ serving: { global }, state, args, fit }: GlobalPhase): Promise<Landing> {
  await fit(global.join(args.adapter, state.kept))
  return { state, core: undefined, result: { adapter: args.adapter, loss: 0, steps: 0 } }
}

async function tailored ({ serving: { init, global }, state, args, fit }: GlobalPhase, units: Units): Promise<Landing> {
  const { state: next, adapter, loss, steps } = await trainTailored({
    settings: init.method!.units!,
    units,
    state: state.units,
    shared: args.adapter.values,
    round: args.round,
    masses: args.masses,
    fit: async (values) => await fit(values)
  })
  return { state: { ...state, units: next }, core: undefined, result: { adapter: global.part(adapter).adapter, loss, steps } }
}

async function related ({ serving: { global }, state, args, fit }: GlobalPhase, sizes: RelationSizes): Promise<Landing> {
  const { adapter: { values: shared }, round, received = [] } = args
  const { state: next, adapter, loss, steps, unused } = await trainRelated({
    sizes,
    state: state.relations,
    shared,
    round,
    cores: received.filter(({ kind }) => kind === 'core-adapter'),
    fit: async (values, fixed) => await fit(values, { fixed })
  })
  return { state: { ...state, relations: next }, core: next.core, result: { adapter: global.part(adapter).adapter, loss, steps, unused } }
}

async function plain ({ serving, state, args, ofRound, fit }: GlobalPhase): Promise<Landing> {
  const { init, global } = serving
  const gamma = global.join(args.adapter, startOf(serving, state.kept, args))
  const teachers = teachersOf({ init, args, gamma, own: state.threshold, of: ofRound })
  const { value, loss, steps } = await fit(gamma, { teachers })
  // It took as long as the others' phases do, so that the site does not run ahead of those that it is to learn from.
  if (teachers?.isMute === true) return { state, core: undefined, result: { adapter: args.adapter, loss: 0, steps: 0 } }
  const parted = global.part(value)
  const kept = bounded(serving, parted.kept)
  const result = { adapter: parted.adapter, loss, steps, ...factsOf(serving, kept) }
  const threshold = teachers?.learnt ?? state.threshold
  return { state: { ...state, kept, threshold }, core: parted.adapter.values, result }
}

/** From the mixture that the site serves; what that moves by lands in the shared adapter (docs/spec/weak.md#element-mix). */
async function mixed ({ serving, state, args, fit, slopes }: GlobalPhase, parts: MixedParts): Promise<Landing> {
  const { global } = serving
  const { adapter: { values: shared, schema }, round, asRound, share = 1, isEnough } = args
  const settings = serving.init.method!.elementMix!
  const begun = startOf(serving, state.kept, args)
  const joined = (values: Float32Array): Float32Array => global.join(new Adapter(schema, values), begun)
  const before = state.mix ?? { own: mixedOf(shared, parts), taken: new Float32Array(parts.size).fill(1), round: 0, learnt: 0 }
  const learns = state.mix != null && round > settings.warmupRounds && asRound == null
  const slopeAt = slopes()
  const slope = async (values: Float32Array): Promise<Slope> => {
    const { loss, gradient } = await slopeAt(joined(values))
    return { loss, gradient: global.part(gradient).adapter.values }
  }
  const taken = learns ? await learnTaken({ settings, parts, state: before, shared, slopeAt: slope, share, isEnough }) : before.taken
  const start = mixtureOf({ own: before.own, taken }, shared, parts)
  const { value, loss, steps } = await fit(joined(start))
  const parted = global.part(value)
  const after = parted.adapter.values
  // Where the site takes all of the average, it does what it would do without the mixture, bit for bit.
  const landed = after.map((each, i) => start[i] === shared[i] ? each : shared[i]! + (each - start[i]!))
  const kept = bounded(serving, parted.kept)
  const mix = { own: mixedOf(after, parts), taken, round, learnt: before.learnt + Number(learns) }
  const result = { adapter: new Adapter(schema, landed), loss, steps, ...factsOf(serving, kept) }
  return { state: { ...state, kept, mix }, core: landed, result }
}

function placeOf ({ global }: Serving): { readonly offset: number, readonly size: number } | undefined {
  return global.kept.entries.find(({ name }) => name === VECTOR)
}

/** Of a site that has not trained yet, with a vector that no other has. */
function startOf (serving: Serving, kept: Float32Array, { siteSeed = serving.init.siteSeed }: PhaseArgs): Float32Array {
  const place = placeOf(serving)
  if (place == null || vectorIn(kept, place).some((each) => each !== 0)) return kept
  return withVector(kept, place.offset, firstVector(place.size, seededRandom(siteSeed, FIRST_VECTOR)))
}

/** No number of the vector beyond what may be announced. */
function bounded (serving: Serving, kept: Float32Array): Float32Array {
  const place = placeOf(serving)
  return place == null ? kept : withVector(kept, place.offset, withinBounds(vectorIn(kept, place)))
}

function vectorIn (kept: Float32Array, { offset, size }: { readonly offset: number, readonly size: number }): Float32Array {
  return kept.slice(offset, offset + size)
}

function withVector (kept: Float32Array, offset: number, vector: Float32Array): Float32Array {
  const all = kept.slice()
  all.set(vector, offset)
  return all
}

/** What the site announces of itself. */
function factsOf (serving: Serving, kept: Float32Array): Pick<PhaseResult, 'facts'> {
  const place = placeOf(serving)
  return place == null ? {} : { facts: { [SITE_VECTOR]: vectorIn(kept, place) } }
}
