import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { readFloatTensors } from '../../../src/adapter/safetensors.ts'
import { MetricsLog } from '../../../src/home/metrics-log.ts'
import { TEACHERS } from '../../../src/settings/methods/weak.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import { Sites, type FederationOptions } from './sites.ts'

const SIDE = 64
const ROBUST = { mu: 0.3, excess: false, least: 0.25, most: 4 } as const
const SELECTING = {
  siteContrast: { size: 8, weight: 1 },
  elementMix: { of: ['decoder'], eta: 1, steps: 2, tolerance: 0.1, warmupRounds: 1 },
  alternate: { head: 1, body: 1 }
} satisfies MethodSettings
const CLUSTERS = { count: 'auto' as const, own: ['^mask_decoder\\.'], neighbours: 3, projection: 16, minimum: 5 }
const UNITS = { update: 'smooth', share: 0.25, pivot: 0.15, slope: 20, warmupRounds: 0, contributes: 'common' } as const

/** Discs brighter than their ground, of that many patients; the first `masked` of them have masks, all if not given. */
async function writeDiscs (folder: string, images: number, masked = images): Promise<void> {
  for (const kind of masked === 0 ? ['images'] : ['images', 'masks']) await mkdir(join(folder, kind), { recursive: true })
  for (let image = 0; image < images; image++) {
    const inside = Array.from({ length: SIDE ** 2 }, (_, i) => Math.hypot(i % SIDE - 26 - image, Math.floor(i / SIDE) - 30) < 14)
    for (const [kind, values] of [['images', [70, 190]], ['masks', [0, 1]]] as const) {
      if (kind === 'masks' && image >= masked) continue
      const pixels = Buffer.from(inside.map((isIn, i) => values[isIn ? 1 : 0] + (kind === 'images' ? i * 7919 % 17 : 0)))
      const raw = { raw: { width: SIDE, height: SIDE, channels: 1 } } as const
      await sharp(pixels, raw).toColourspace('b-w').png().toFile(join(folder, kind, `patient${String.fromCharCode(97 + image)}.png`))
    }
  }
}

/** Whether two sites ended with the same numbers, nearly: those that all average, and those of the decoder. */
async function alike (sites: Sites, ...names: readonly string[]): Promise<{ common: boolean, own: boolean }> {
  const [one, other] = await Promise.all(names.map(async (name) => readFloatTensors(await readFile(sites.paths(name).adapter)).tensors))
  const isAlike = (isOwn: boolean): boolean => [...one!].filter(([name]) => name.startsWith('mask_decoder.') === isOwn)
    .every(([name, { data }]) => data.every((value, i) => Math.abs(value - other!.get(name)!.data[i]!) < 1e-4))
  return { common: isAlike(false), own: isAlike(true) }
}

async function expectScope (sites: Sites, method: FederationOptions['method'], own: boolean): Promise<void> {
  if (method?.clusters != null) expect(await alike(sites, 'a', 'b')).to.deep.equal({ common: true, own })
}

describe('a federation whose sites announce facts', function () {
  this.timeout(600_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  const methods: readonly [string, FederationOptions, number?][] = [
    ['lands each as much as the facts say, on mixed images', { method: { robust: ROBUST } }],
    ['keeps what moves unlike the others', { method: { units: UNITS } }],
    ['selects channels unlike the others, and mixes number by number', { method: SELECTING }],
    ['averages the decoder where both are of one cluster', { method: { clusters: CLUSTERS } }, 8],
    ['trains the decoder alone where one has too few patients for a cluster', { method: { clusters: CLUSTERS } }, 4]
  ]
  for (const [what, { method }, patients = 4] of methods) {
    it(`trains its rounds, and ${what}`, async () => {
      const section = await modelSection('no imported models', 'sam-tiny')
      const model = method?.robust == null ? { ...section, moe: { ...section.moe, blocks: [] } } : section
      const mixed = method?.robust == null ? {} : { mixup: { alpha: 0.2 } }
      const training = { ...trainingSection(model, { rounds: 2, seed: 1 }), stepsPerRound: 2, augment: true, ...mixed }
      sites = await Sites.create(['a', 'b'], { coolDownSeconds: 60, codec: 'f32', model, training, ...(method == null ? {} : { method }) })
      for (const [index, name] of ['a', 'b'].entries()) await writeDiscs(join(sites.folder, name), patients + 4 * index)
      const first = sites.realDaemon('b', join(sites.folder, 'b')).run()
      const { addresses } = await sites.statusOf('b', (status) => status.addresses.length > 0)
      await Promise.all([first, sites.realDaemon('a', join(sites.folder, 'a'), { bootstrap: addresses }).run()])
      await expectScope(sites, method, patients === 8)
      for (const name of ['a', 'b']) {
        const { records } = await MetricsLog.open(sites.paths(name).metrics)
        expect(records.map(({ round }) => round), name).to.deep.equal([1, 2])
        for (const { landing } of records) {
          if (method?.robust == null) expect(landing, name).to.equal(undefined)
          else expect(landing, name).to.be.within(0.25, 4)
        }
        expect((await sites.summary(name)).exchangesByRound.reduce((sum, each) => sum + each, 0), name).to.be.above(0)
      }
    })
  }

  it('has a site without any label, which waits for the others to say how sure one must be, and then trains with them', async () => {
    const section = await modelSection('no imported models', 'sam-tiny')
    const model = { ...section, moe: { ...section.moe, blocks: [] } }
    const { dualTeacher, perturbedFeatures } = TEACHERS
    const training = {
      ...trainingSection(model, { rounds: 2, seed: 1 }),
      stepsPerRound: 2,
      batchSize: 4,
      augment: true,
      supervision: ['mask' as const, 'none' as const],
      dualTeacher: { ...dualTeacher, teachers: [...dualTeacher.teachers] },
      perturbedFeatures
    }
    const method = { generalisation: { step: 0.05 } }
    sites = await Sites.create(['a', 'b'], { coolDownSeconds: 60, codec: 'f32', model, training, method })
    await writeDiscs(join(sites.folder, 'a'), 8, 5)
    await writeDiscs(join(sites.folder, 'b'), 4, 0)
    const first = sites.realDaemon('b', join(sites.folder, 'b')).run()
    const { addresses } = await sites.statusOf('b', (status) => status.addresses.length > 0)
    await Promise.all([first, sites.realDaemon('a', join(sites.folder, 'a'), { bootstrap: addresses }).run()])
    for (const name of ['a', 'b']) {
      const { records } = await MetricsLog.open(sites.paths(name).metrics)
      expect(records.map(({ round }) => round), name).to.deep.equal([1, 2])
      for (const { dice, landing, parts = {} } of records) {
        expect(dice == null, name).to.equal(name === 'b')
        expect(landing, name).to.be.within(0.25, 4)
        expect(Object.values(parts).reduce((sum, each) => sum + each, 0), name).to.be.closeTo(1, 1e-9)
        expect(Object.keys(parts), name).to.include('self')
      }
    }
    // Whether it heard of a's threshold before its last round is a matter of time; it has none of its own in any case.
    const held = readFloatTensors(await readFile(join(sites.paths('b').privateStore, 'experts.safetensors'))).tensors
    expect([...held.get('own.teachers.threshold')!.data]).to.deep.equal([-1])
    const learnt = readFloatTensors(await readFile(join(sites.paths('a').privateStore, 'experts.safetensors'))).tensors
    expect(learnt.get('own.teachers.threshold')!.data[0]).to.be.within(0, Math.LN2)
  })
})
