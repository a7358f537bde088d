import { expect } from 'chai'
import fc from 'fast-check'
import { normal } from '../../src/common/random.ts'
import { CODECS } from '../../src/gossip-aggregation/codecs/codec.ts'
import { Fate, MortalSite, type Fault } from './mortal-site.ts'
import { seeded, vectorSchema, weightedSum } from './site.ts'

const SIZE = 7
const FAULTS: readonly Fault[] = ['harmless', 'first', 'last', 'late']
/** More than an exchange with its settling has. */
const EVENTS = 24

interface Setting {
  readonly masses: readonly number[]
  readonly codec: typeof CODECS[number] | 'auto'
  readonly clipRadius: number
  readonly seed: number
  /** Of each site; if given, numbers of SCOPED are averaged by sites of one cluster alone. */
  readonly clusters?: readonly (string | undefined)[] | undefined
}

const SCOPED = [{ begin: 1, end: 3 }, { begin: 5, end: 6 }] as const

function createSites ({ masses, codec, clipRadius, seed, clusters }: Setting): MortalSite[] {
  const schema = vectorSchema(SIZE)
  const settings = { codec, clipRadius, maxMass: 1000, normBound: 1e6, staleness: 3 }
  return masses.map((mass, index) => {
    const values = Float32Array.from({ length: SIZE }, (_, at) => 50 * Math.sin(seed + 13 * index + 7 * at))
    const init = { schema, values, round: 0, mass, settings }
    return new MortalSite(`site-${index}`, clusters == null ? init : { ...init, scoped: SCOPED }, clusters?.[index])
  })
}

/** Everybody is up again, and asks until nothing is in doubt; a few rounds must do. */
async function heal (sites: readonly MortalSite[]): Promise<void> {
  for (const site of sites) {
    site.fate = new Fate()
    await site.restart()
  }
  for (const site of sites) await site.receiveLate()
  for (const site of sites) {
    for (const partner of [...site.averager.doubts.keys()]) await site.settle(sites.find(({ id }) => id === partner)!)
  }
  for (const site of sites) expect([...site.averager.doubts.keys()], `${site.id} in doubt`).to.deep.equal([])
  for (const site of sites) expect([site.averager.busy, site.disk.pending.size]).to.deep.equal([false, 0])
}

class Expected {
  readonly sums: number[]
  readonly #sites: readonly MortalSite[]
  /** The same of each cluster, and of each site without one, whose sums of SCOPED stay. */
  readonly #clusters: readonly Expected[]

  constructor (sites: readonly MortalSite[], clusters: readonly (string | undefined)[] = []) {
    this.#sites = sites
    this.sums = weightedSum(sites)
    const groups = Map.groupBy(sites.keys(), (index) => clusters[index] ?? index)
    this.#clusters = clusters.length === 0 ? [] : [...groups.values()].map((group) => new Expected(group.map((index) => sites[index]!)))
  }

  /** Checks what is in memory, and what is on disk alone. */
  async hold (sites: readonly MortalSite[]): Promise<void> {
    await heal(sites)
    this.check()
    for (const site of sites) site.die()
    await heal(sites)
    this.check()
  }

  /**
   * Σw·x is what it was at the start, what training added that no crash took back, and what the sites that caught up took over in place
   * of what they had mixed before.
   */
  check (isChecked: (index: number) => boolean = () => true): void {
    const scoped = (index: number): boolean => SCOPED.some(({ begin, end }) => begin <= index && index < end)
    for (const cluster of this.#clusters) cluster.check(scoped)
    const scale = this.#sites.reduce((sum, { averager }) => sum + averager.mass, 0)
    weightedSum(this.#sites).forEach((sum, index) => {
      if (!isChecked(index)) return
      const trained = this.#sites.reduce((total, site) => total + site.averager.mass * (site.trained[index]! + site.unsaved[index]!), 0)
      const taken = this.#sites.reduce((total, { averager: { mass }, disk: { takenOver } }) =>
        total + mass * takenOver.reduce((all, each) => all + each[index]!, 0), 0)
      expect(sum - trained - taken).to.be.closeTo(this.sums[index]!, 2e-4 * scale)
    })
  }
}

const who = fc.integer({ min: 0, max: 3 })
const plan = fc.option(fc.record({ at: fc.integer({ min: 0, max: 40 }), fault: fc.constantFrom(...FAULTS) }), { nil: undefined, freq: 2 })
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('exchange' as const),
      pairs: fc.array(fc.tuple(who, who, fc.constantFrom(false, false, false, true)), { maxLength: 3 }),
      asks: fc.array(fc.tuple(who, who), { maxLength: 1 }),
      fault: plan
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('train' as const),
      site: who,
      by: fc.integer({ min: -9, max: 9 }),
      noise: fc.option(fc.nat()),
      factor: fc.constantFrom(undefined, 0.25, 0.7, 4)
    })
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('save' as const), site: who, fault: plan }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('die' as const), site: who }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('restart' as const), site: who }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('late' as const), site: who }) })
const setting = fc.record({
  masses: fc.array(fc.double({ min: 0.5, max: 500, noNaN: true }), { minLength: 2, maxLength: 4 }),
  codec: fc.constantFrom('auto' as const, ...CODECS),
  clipRadius: fc.constantFrom(1e6, 200, 30, 1),
  seed: fc.integer({ min: 0, max: 1000 }),
  clusters: fc.option(fc.array(fc.constantFrom('aa', 'bb', undefined), { minLength: 4, maxLength: 4 }), { nil: undefined })
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Some landings are clipped and noised, as where privacy is promised. */
function noiseOf (seed: number | null): (() => number) | undefined {
  const random = seeded(seed ?? 0)
  return seed == null ? undefined : () => normal(random)
}

/** Does one step of a history; returns how many exchanges were committed. */
async function take (sites: readonly MortalSite[], each: Step): Promise<number> {
  const pick = (index: number): MortalSite => sites[index % sites.length]!
  if ('fault' in each) {
    const fate = new Fate(each.fault?.at, each.fault?.fault)
    for (const site of sites) site.fate = fate
  }
  if (each.what === 'exchange') return await exchangeAll(pick, each)
  const site = pick(each.site)
  if (each.what === 'restart') await site.restart()
  else if (each.what === 'die') site.die()
  else if (site.isAlive) {
    if (each.what === 'train') site.train(each.by, { normal: noiseOf(each.noise), factor: each.factor })
    else await (each.what === 'save' ? site.save().catch(() => {}) : site.receiveLate())
  }
  return 0
}

/** Exchanges and questions that run side by side. */
async function exchangeAll (
  pick: (index: number) => MortalSite,
  { pairs, asks }: { pairs: readonly [number, number, boolean][], asks: readonly [number, number][] }
): Promise<number> {
  const possible = (list: readonly (readonly [number, number, boolean?])[]): [MortalSite, MortalSite, boolean][] =>
    list.map(([i, j, catchUp = false]): [MortalSite, MortalSite, boolean] => [pick(i), pick(j), catchUp]).filter(([one, other]) =>
      one !== other && one.isAlive && other.isAlive
    )
  const asking = possible(asks).map(async ([one, other]) => {
    await one.settle(other)
  })
  const ran = await Promise.all(possible(pairs).map(async ([one, other, catchUp]) => await one.exchange(other, { catchUp })))
  await Promise.all(asking)
  return ran.filter(Boolean).length
}

/** Of two sites: no scope, one cluster, two, and one that does not know its own yet. */
const CLUSTERS = [undefined, ['aa', 'aa'], ['aa', 'bb'], [undefined, 'bb']]

/** At which event, what, and which site is started again before the other. */
function cases (): [number, Fault, number][] {
  return Array.from(
    { length: EVENTS },
    (_, at) => FAULTS.flatMap((fault) => [0, 1].map((rests): [number, Fault, number] => [at, fault, rests]))
  ).flat()
}

async function strikeOnce (
  { codec, at, fault, rests, catchUp }: { codec: Setting['codec'], at: number, fault: Fault, rests: number, catchUp: boolean }
): Promise<void> {
  const clusters = CLUSTERS[at % CLUSTERS.length]
  const sites = createSites({ masses: [3, 1], codec, clipRadius: at % 2 === 0 ? 1e6 : 20, seed: at, clusters })
  const [a, b] = sites as [MortalSite, MortalSite]
  const expected = new Expected(sites, clusters)
  const fate = new Fate(at, fault)
  a.fate = fate
  b.fate = fate
  const exchanging = a.exchange(b, { catchUp })
  await Promise.resolve()
  if (a.isAlive) a.train(1)
  await exchanging
  if (b.isAlive) b.train(2)
  for (const site of sites) if (site.isAlive) await site.save().catch(() => {})
  await sites[rests]!.restart()
  if (a.isAlive && b.isAlive) await a.settle(b)
  await expected.hold(sites)
}

describe('conservation of Σw·x over the wire, with crashes', () => {
  for (const codec of [...CODECS, 'auto'] as const) {
    it(`${codec}: whatever strikes at any message and any durable write, at either side, with training in between`, async () => {
      for (const [at, fault, rests] of cases()) {
        for (const catchUp of [false, true]) await strikeOnce({ codec, at, fault, rests, catchUp })
      }
    })
  }

  it('over thousands of random histories', async () => {
    let committed = 0
    await fc.assert(fc.asyncProperty(setting, fc.array(step, { minLength: 1, maxLength: 12 }), async (init, steps) => {
      const sites = createSites(init)
      const expected = new Expected(sites, init.clusters?.slice(0, sites.length))
      for (const each of steps) committed += await take(sites, each)
      await expected.hold(sites)
    }), { numRuns: 2000 })
    expect(committed).to.be.above(2000)
  })
})
