import { expect } from 'chai'
import fc from 'fast-check'
import { createLayout } from '../../../src/model/parameters/layout.ts'
import type { UnitState } from '../../../src/model/parameters/private-state.ts'
import { unitsOf, unlikeness, type Units } from '../../../src/model/parameters/units.ts'
import {
  individualOf, movedByOthers, ownFrom, trainTailored, type TailoredPhase, type UnitSettings
} from '../../../src/model/train/tailored.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import type { ModelSettings } from '../../../src/settings/model.ts'
import { createLearner, discs } from './learners.ts'

const SETTINGS: UnitSettings = { update: 'smooth', share: 0.25, pivot: 0.15, slope: 20, warmupRounds: 0, contributes: 'common' }
const NO_EXPERTS: ModelSettings['moe'] = { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' }
/** Each number is a unit of its own. */
const single = (count: number): Units => ({ of: Uint32Array.from({ length: count }, (_, i) => i), count })

interface Site {
  state: UnitState | undefined
  readonly mass: number
  /** What both halves of each phase move the copy by, together. */
  readonly move: readonly number[]
}

/** Rounds of sites that mix fully; every number of a copy moves by the site's own step, half of it in each half of a phase. */
async function train (sites: readonly Site[], rounds: number, over: Partial<TailoredPhase> = {}): Promise<Float32Array> {
  const units = single(sites[0]!.move.length)
  const all = sites.reduce((sum, { mass }) => sum + mass, 0)
  let shared = new Float32Array(units.count)
  for (let round = 1; round <= rounds; round++) {
    const landed = await Promise.all(sites.map(async (site) => {
      const fit: TailoredPhase['fit'] = async (values) => {
        const moved = (part: number): Float32Array => values.map((each, i) => each + part * site.move[i]!)
        return { value: moved(1), middle: moved(0.5), loss: 0, steps: 2 }
      }
      const phase = { settings: SETTINGS, units, state: site.state, shared, round, masses: { own: site.mass, all }, fit, ...over }
      const { state, adapter } = await trainTailored(phase)
      adapter.forEach((each, i) => { expect(each - shared[i]!).to.be.closeTo(state.landed[i]!, 1e-6) })
      site.state = state
      return adapter.map((each, i) => site.mass / all * (each - shared[i]!))
    }))
    shared = shared.map((each, i) => each + landed.reduce((sum, delta) => sum + delta[i]!, 0))
  }
  return shared
}

interface Trained {
  readonly digest: string
  readonly isStart: boolean
  readonly values: Float32Array
  /** Where there are units. */
  readonly copy: Float32Array | undefined
}

async function trained (method: MethodSettings): Promise<Trained> {
  const learner = await createLearner({ model: { moe: NO_EXPERTS }, method })
  const start = learner.initialAdapter()
  const first = (await learner.train('G', { adapter: start, samples: discs, round: 1, masses: { own: 1, all: 3 } })).adapter
  const other = await createLearner({ model: { moe: NO_EXPERTS }, method })
  other.importPrivate(await learner.exportPrivate())
  const ends = []
  for (const each of [learner, other]) {
    const { adapter } = await each.train('G', { adapter: first, samples: discs, round: 2, masses: { own: 1, all: 3 } })
    const copy = (await each.exportPrivate()).reveal().get('own.units.copy')?.data
    ends.push({ digest: adapter.digest(), isStart: adapter.digest() === start.digest(), values: adapter.values, copy })
    await each.dispose()
  }
  expect(ends[1]!.digest, 'goes on from what was saved').to.equal(ends[0]!.digest)
  return ends[0]!
}

describe('units of an adapter', () => {
  it('are components of low-rank pairs, rows of matrices, and whole vectors', () => {
    const units = unitsOf(createLayout([
      { name: 'a.lora_A_q', shape: [2, 3] }, { name: 'a.lora_A_v', shape: [2, 2] }, { name: 'a.lora_B_q', shape: [2, 2] },
      { name: 'a.lora_B_v', shape: [1, 2] }, { name: 'b.weight', shape: [2, 2] }, { name: 'b.bias', shape: [3] }
    ]))
    expect([...units.of]).to.deep.equal([0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 0, 1, 0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6])
    expect(units.count).to.equal(7)
  })

  it('are as individual as the specification says, and unlike', () => {
    const smooth = individualOf(Float32Array.of(-0.15, 0, 0.15, 0.3, 0.6), SETTINGS)
    const expected = [0.002473, 0.047426, 0.5, 0.952574, 0.999877]
    smooth.forEach((each, i) => { expect(each).to.be.closeTo(expected[i]!, 1e-6) })
    const pair = { of: Uint32Array.of(0, 0), count: 1 }
    expect(unlikeness([1, 0], [0, 1], pair)[0]).to.be.closeTo(0.707107, 1e-6)
    for (const [a, b, rho] of [[[1, 2], [3, 6], 0], [[1, 2], [-1, -2], 1], [[0, 0], [0, 0], 0], [[0, 0], [5, 0], 0.5]] as const) {
      expect(unlikeness(a, b, pair)[0]).to.be.closeTo(rho, 1e-9)
    }
  })

  it('show what the others landed, exactly where all mix fully', async () => {
    const sites: Site[] = [{ state: undefined, mass: 3, move: [0.5, -1, 2] }, { state: undefined, mass: 1, move: [0.1, 0.7, 0.2] }]
    const shared = await train(sites, 1, { settings: { ...SETTINGS, warmupRounds: 9 } })
    for (const [one, other] of [[0, 1], [1, 0]] as const) {
      const moved = movedByOthers(sites[one]!.state!, shared, { own: sites[one]!.mass, all: 4 })
      moved.forEach((each, i) => { expect(each).to.be.closeTo(sites[other]!.move[i]!, 1e-6) })
    }
  })

  it('stay common where all move alike; the one that moves against the others is picked, whichever it is', async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 2, max: 9 }), fc.nat(), async (count, at) => {
      const odd = at % count
      const move = Array.from({ length: count }, (_, i) => 1 + i)
      const against = move.map((each, i) => i === odd ? -each : each)
      const alike: Site[] = [1, 2].map((mass) => ({ state: undefined, mass, move }))
      await train(alike, 3, { settings: { ...SETTINGS, warmupRounds: 9 } })
      for (const { state } of alike) expect(Math.max(...state!.excess)).to.be.at.most(1e-6)
      const sites: Site[] = [move, against].map((each) => ({ state: undefined, mass: 1, move: each }))
      const settings = { ...SETTINGS, update: 'binary', share: 1 / count, warmupRounds: 1 } as const
      await train(sites, 2, { settings })
      for (const { state } of sites) expect([...state!.individual].flatMap((each, i) => each === 1 ? [i] : [])).to.deep.equal([odd])
    }), { numRuns: 30 })
  })

  it('that all keep for themselves become common again within 20 rounds', async () => {
    const sites: Site[] = [1, 2].map((mass) => ({ state: undefined, mass, move: [1] }))
    await train(sites, 1)
    for (const site of sites) site.state = { ...site.state!, excess: Float32Array.of(0.6), individual: Float32Array.of(1), round: 0 }
    await train(sites, 20)
    for (const { state } of sites) expect(state!.individual[0]).to.be.below(0.5)
  })

  it('land all of a move where the method says so, and are served as individually as ever', async () => {
    const individual = { excess: Float32Array.of(0.6), individual: Float32Array.of(1), round: 0 }
    const landed = await Promise.all((['common', 'all'] as const).map(async (contributes) => {
      const sites: Site[] = [1, 2].map((mass) => ({ state: undefined, mass, move: [1] }))
      await train(sites, 1)
      for (const site of sites) site.state = { ...site.state!, ...individual }
      await train(sites, 1, { settings: { ...SETTINGS, contributes } })
      return sites.map(({ state }) => [state!.landed[0]!, state!.individual[0]!] as const)
    }))
    const [common, all] = landed as [typeof landed[0], typeof landed[0]]
    for (const [i, [land, own]] of all.entries()) {
      expect(land).to.be.closeTo(1, 1e-6)
      expect(own).to.equal(common[i]![1]).and.be.above(0.5)
      expect(common[i]![0]).to.be.closeTo(1 - own, 1e-6)
    }
  })

  it('that are all individual never move the shared adapter; a site that took another\'s over begins from that', async () => {
    const sites: Site[] = [{ state: undefined, mass: 1, move: [1, 2] }]
    const shared = await train(sites, 3, { settings: { ...SETTINGS, pivot: -1, slope: 1_000 } })
    expect([...shared]).to.deep.equal([0, 0])
    expect([...ownFrom(sites[0]!.state!, shared, single(2))]).to.deep.equal([3, 6])
    const fit: TailoredPhase['fit'] = async (value) => ({ value, loss: 0, steps: 1 })
    const phase = { settings: SETTINGS, units: single(2), state: sites[0]!.state, shared: Float32Array.of(9, 9), fit }
    expect([...(await trainTailored({ ...phase, round: 9 })).state.copy]).to.deep.equal([9, 9])
    expect([...(await trainTailored({ ...phase, round: 4 })).state.copy]).to.deep.equal([3, 6])
  })
})

describe('a learner with individual units', function () {
  this.timeout(180_000)

  it('trains bit for bit as without them while all are common; where all are individual, alone, and the adapter stays', async () => {
    const plain = await trained({})
    expect((await trained({ units: { ...SETTINGS, warmupRounds: 9 } })).digest).to.equal(plain.digest)
    const individual = await trained({ units: { ...SETTINGS, pivot: -1, slope: 1_000 } })
    expect(individual.isStart).to.equal(true)
    expect([...individual.copy!], 'as a site that has nobody to average with').to.deep.equal([...plain.values])
    expect((await trained({ units: SETTINGS })).digest).to.not.equal(plain.digest)
  })
})
