import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { Averager } from '../../../src/gossip-aggregation/averager.ts'
import { rangesOf } from '../../../src/gossip-aggregation/exchange/scope.ts'
import { MetricsLog } from '../../../src/home/metrics-log.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { Sites } from './sites.ts'

const SIDE = 64
const OWN = '^mask_decoder\\.'
/** One cluster of patients at each of four sites, each joined to the nearest of another site. */
const CLUSTERS = { count: 2, own: [OWN], neighbours: 1, projection: 16, minimum: 5 }
/** Sites by their patients, so that their masses tell them apart; two have bright discs, two dark stripes. */
const PATIENTS = { a: 7, b: 9, c: 11, d: 13 } as const
const ORGANS = [['a', 'b'], ['c', 'd']] as const
const ROUNDS = 2

/** Pictures of one of two simulated organs, one of each patient. */
async function writeOrgan (folder: string, patients: number, isDisc: boolean): Promise<void> {
  for (const kind of ['images', 'masks']) await mkdir(join(folder, kind), { recursive: true })
  for (let patient = 0; patient < patients; patient++) {
    const inside = Array.from({ length: SIDE ** 2 }, (_, i) => {
      const [x, y] = [i % SIDE, Math.floor(i / SIDE)]
      return isDisc ? Math.hypot(x - 26 - patient % 5, y - 30) < 14 : (x + patient) % 16 < 5 && y > 20
    })
    const greys = isDisc ? [20, 230] : [200, 60]
    for (const [kind, values] of [['images', greys], ['masks', [0, 1]]] as const) {
      const pixels = Buffer.from(inside.map((isIn, i) => (values[isIn ? 1 : 0] ?? 0) + (kind === 'images' ? i * 7919 % 17 : 0)))
      const raw = { raw: { width: SIDE, height: SIDE, channels: 1 } } as const
      await sharp(pixels, raw).toColourspace('b-w').png().toFile(join(folder, kind, `patient${String.fromCharCode(97 + patient)}.png`))
    }
  }
}

interface Seen {
  readonly averager: Averager
  readonly start: Float32Array
  /** What training moved x by, in all. */
  readonly landed: Float64Array
}

/** What a third party that sees all of it sees: where each site starts, and what lands; `over` ends it. */
function watchLandings (): { readonly seen: ReadonlyMap<Averager, Seen>, readonly over: () => void } {
  const seen = new Map<Averager, Seen>()
  const land = Reflect.get<Averager, 'land'>(Averager.prototype, 'land')
  Averager.prototype.land = function (before, after, ...more) {
    const own = seen.get(this) ?? { averager: this, start: this.shared(), landed: new Float64Array(before.length) }
    seen.set(this, own)
    for (let i = 0; i < before.length; i++) own.landed[i]! += after[i]! - before[i]!
    land.call(this, before, after, ...more)
  }
  return { seen, over: () => { Averager.prototype.land = land } }
}

/** By how much Σw·x of these sites moved beside what landed at them, by number; as a share of Σw·‖x‖. */
function crossed (sites: readonly Seen[]): Float64Array {
  const size = sites.reduce((sum, { averager: { mass, values } }) => sum + mass * Math.hypot(...values), 0)
  return sites[0]!.landed.map((_, i) => sites.reduce((sum, { averager: { mass, values }, start, landed }) =>
    sum + mass * (values[i]! - start[i]! - landed[i]!), 0) / size)
}

function most (values: Float64Array, isOf: (index: number) => boolean): number {
  return values.reduce((largest, each, i) => isOf(i) ? Math.max(largest, Math.abs(each)) : largest, 0)
}

describe('a federation of two organs, whose sites find their clusters', function () {
  this.timeout(900_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  it('averages the decoder among sites of an organ alone, and the rest among all', async () => {
    const section = await modelSection('no imported models', 'sam-tiny')
    const model = { ...section, moe: { ...section.moe, blocks: [] } }
    const training = { ...trainingSection(model, { rounds: ROUNDS, seed: 1 }), stepsPerRound: 2, augment: true }
    const names = Object.keys(PATIENTS) as (keyof typeof PATIENTS)[]
    // Nobody takes another over, however slow one of them is.
    const options = { rounds: ROUNDS, coolDownSeconds: 60, codec: 'f32' as const, staleness: 100, model, training }
    sites = await Sites.create(names, { ...options, method: { clusters: CLUSTERS } })
    for (const name of names) await writeOrgan(join(sites.folder, name), PATIENTS[name], ORGANS[0].some((each) => each === name))
    const { seen, over } = watchLandings()
    try {
      const first = sites.realDaemon('d', join(sites.folder, 'd'), { settings: { waitFor: 4 } }).run()
      const { addresses } = await sites.statusOf('d', (status) => status.addresses.length > 0)
      const others = (['a', 'b', 'c'] as const).map(async (name) =>
        await sites.realDaemon(name, join(sites.folder, name), { bootstrap: addresses, settings: { waitFor: 4 } }).run())
      await Promise.all([first, ...others])
    } finally {
      over()
    }
    for (const name of names) {
      const { records } = await MetricsLog.open(sites.paths(name).metrics)
      expect(records.map(({ round }) => round), name).to.deep.equal([1, 2])
    }
    const all = [...seen.values()].sort((one, other) => one.averager.mass - other.averager.mass)
    expect(new Set(all.map(({ averager: { mass } }) => mass))).to.have.length(4)
    const own = rangesOf(all[0]!.averager.schema, [OWN])
    const isOwn = (index: number): boolean => own.some(({ begin, end }) => begin <= index && index < end)
    expect(most(crossed(all), () => true), 'Σw·x of all, whatever the number').to.be.below(1e-7)
    for (const [organ, pair] of [all.slice(0, 2), all.slice(2)].entries()) {
      expect(most(crossed(pair), isOwn), `of organ ${organ}, what is its own`).to.be.below(1e-7)
      expect(most(crossed(pair), (i) => !isOwn(i)), `of organ ${organ}, what is common`).to.be.above(1e-6)
      for (const each of pair) expect(most(crossed([each]), isOwn), `a site of organ ${organ}`).to.be.above(1e-6)
    }
  })
})
