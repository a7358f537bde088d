import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { PrivateSet } from '../../../src/adapter/private-set.ts'
import { readFloatTensors, readSafetensors, type NamedTensor } from '../../../src/adapter/safetensors.ts'
import { fitSlice, planeOf } from '../../../src/dataset/index.ts'
import { lowFrequencies } from '../../../src/dataset/views/frequency.ts'
import { writeJson } from '../../../src/home/files.ts'
import { SERVES, type MethodSettings } from '../../../src/settings/method.ts'
import { PRETRAINING } from '../../../src/settings/methods/label-free.ts'
import { PSEUDO, TEACHERS } from '../../../src/settings/methods/weak.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { PrivateStore } from '../../../src/site-model/private-store.ts'
import { writeDicomCanaries } from './dicom-canaries.ts'
import { embeddingsOf, pointsOf } from './embeddings.ts'
import { countFound, floatNeedles, NEEDLE, PATIENT, SIDE, writeSite, type Needles } from './needles.ts'
import { Sites } from './sites.ts'
import { Tap } from './tap.ts'

/** Of the images as training sees them. */
const FITTED = 128
/** Of a site that learns from teachers, too. */
const MASKED = 5
const BIG_WRITE = 20_000
const EPISODE = {
  weight: 1, window: 1, ratio: 'uniform', innerRate: 0, contrast: 0, temperature: 0.05, ring: 0.01, group: 5
} as const
const ALIGN = { by: 'adversarial', weight: 1, warmupRounds: 0 } as const

const UNITS = { update: 'smooth', share: 0.25, pivot: 0.15, slope: 20, warmupRounds: 0, contributes: 'all' } as const

/** Slow, so that of no number all is taken in the end. */
const SELECTING = {
  siteContrast: { size: 8, weight: 1 },
  elementMix: { of: ['decoder'], eta: 1e-3, steps: 2, tolerance: 0, warmupRounds: 0 },
  alternate: { head: 1, body: 1 }
} satisfies MethodSettings
const RELATIONS = { rate: 0.05, pull: 0, fade: 'exponential', pulled: 0, peers: 8, by: 'layer' } as const

const CLUSTERS = { count: 2, own: ['^mask_decoder\\.'], neighbours: 3, projection: 16, minimum: 5 }
/** How facts of clusters begin in an announcement: field 25, 336 bytes long. */
const CLUSTER_FACTS = Buffer.from([25 << 3 & 0x7f | 0x82, 25 >> 4, 336 & 0x7f | 0x80, 336 >> 7])
const { dualTeacher: DUAL, perturbedFeatures } = TEACHERS
const TAUGHT = {
  stepsPerRound: 2,
  batchSize: 4,
  augment: true,
  supervision: ['mask', 'none'],
  perturbedFeatures,
  dualTeacher: { ...DUAL, teachers: [...DUAL.teachers] }
} as const

const UNLABELLED = { stepsPerRound: 2, augment: true, supervision: ['mask', 'none'] } as const

/** Of one image there is a box alone, so that it gets a pseudo-mask. */
async function boxOne (folder: string, { pseudo }: MethodSettings): Promise<void> {
  if (pseudo == null) return
  const [name = ''] = await readdir(join(folder, 'masks'))
  await rm(join(folder, 'masks', name))
  await writeJson(join(folder, 'boxes.json'), { [name.replace('.png', '')]: [[14, 14, 46, 46, 1]] })
}

/** Sixteen bytes from many places of the pool of pseudo-masks, where they are not all alike. */
async function poolNeedles (privateStore: string, { pseudo }: MethodSettings): Promise<Needles[]> {
  if (pseudo == null) return []
  const { tensors } = readSafetensors(await readFile(join(privateStore, 'pseudo-masks.safetensors')))
  const bytes = Buffer.from(tensors.get('masks')!.data as Uint8Array)
  const places = Array.from({ length: Math.floor(bytes.length / NEEDLE) }, (_, i) => bytes.subarray(NEEDLE * i, NEEDLE * (i + 1)))
  return [{ name: 'pseudo-masks', needles: places.filter((each) => new Set(each).size > NEEDLE / 2) }]
}

/** Numbers of spectra outside the window that may be shown: amplitudes of the images as training sees them, and their logarithms. */
async function spectrumNeedles (folder: string): Promise<Buffer[]> {
  const needles: Buffer[] = []
  for (const name of await readdir(join(folder, 'images'))) {
    const image = Uint8Array.from(await sharp(join(folder, 'images', name)).toColourspace('b-w').raw().toBuffer())
    const mask = new Uint8Array(SIDE ** 2)
    const fitted = await fitSlice({ id: name, subject: name, index: 0, height: SIDE, width: SIDE, channels: 1, image, mask }, FITTED)
    const found = lowFrequencies(planeOf(fitted, 0), FITTED / 2 - 1).filter(({ u, v }) => Math.max(Math.abs(u), v) > EPISODE.window)
    const amplitudes = Float32Array.from(found, ({ real, imaginary }) => Math.hypot(real, imaginary))
    for (let i = 0; i + 4 <= amplitudes.length; i += 4) {
      const four = amplitudes.slice(i, i + 4)
      for (const each of [four, four.map(Math.log), four.map((value) => value * SIDE ** 2)]) needles.push(Buffer.from(each.buffer))
    }
  }
  return needles
}

/** Of the base's features, and where the core is shown of those that it has with LoRA as it was trained, none has left. */
async function expectNoFeatures (
  sites: Sites,
  { keeps, showsMoments }: Pick<Own, 'keeps' | 'showsMoments'>,
  found: (needles: Needles) => number
): Promise<void> {
  if (!keeps && !showsMoments) return
  expect((await ledgerOf(sites, 'a')).includes('"kind":"publication"'), 'what may be shown has left itself').to.equal(true)
  const { tensors } = readFloatTensors(await readFile(sites.paths('a').adapter))
  for (const adapter of keeps ? [undefined, tensors] : [undefined]) {
    const embeddings = await embeddingsOf(join(sites.folder, 'data-a'), SIDE, adapter)
    const features = { name: 'features', needles: floatNeedles(embeddings, 40) }
    expect(features.needles.length).to.be.above(100)
    expect(found(features), features.name).to.equal(0)
  }
}

/** Overwrites the head of every private tensor with numbers that nothing else holds. */
function plant (tensors: ReadonlyMap<string, NamedTensor>): Map<string, NamedTensor> {
  let canary = 0
  return new Map([...tensors].map(([name, { shape, data }]) => {
    const planted = data.slice()
    if (planted.length >= 16) for (let i = 0; i < 16; i++) planted[i] = 0.012345 + ++canary * 1.7e-7
    return [name, { shape, data: planted }]
  }))
}

/** All but the first images of a site that learns from teachers lose their masks. */
async function dropMasks (folder: string, isTaught: boolean): Promise<void> {
  if (!isTaught) return
  const all = (await readdir(join(folder, 'masks'))).sort()
  await Promise.all(all.slice(MASKED).map(async (name) => { await rm(join(folder, 'masks', name)) }))
}

/** Everything that this site wrote about itself. */
async function ledgerOf (sites: Sites, name: string): Promise<Buffer> {
  const { audit } = sites.paths(name)
  return Buffer.concat(await Promise.all((await readdir(audit)).map(async (file) => await readFile(join(audit, file)))))
}

/** All files of a folder, their names and what stands in them. */
async function everythingIn (folder: string): Promise<{ names: string[], bytes: Buffer }> {
  const files = (await readdir(folder, { withFileTypes: true, recursive: true })).filter((entry) => entry.isFile())
  const parts = await Promise.all(files.map(async ({ parentPath, name }) => await readFile(join(parentPath, name))))
  return { names: files.map(({ name }) => name), bytes: Buffer.concat(parts) }
}

interface Own {
  readonly keeps: boolean
  readonly showsMoments: boolean
  readonly copies: boolean
  readonly tailored: boolean
  readonly related: boolean
  readonly mixes: boolean
  readonly clustered: boolean
  readonly taught: boolean
  readonly labelFree: boolean
  readonly hasExperts: boolean
  /** Of training, beside what is usual. */
  readonly terms: object
  readonly policy: object
  /** What does not leave of it, in words. */
  readonly what: string
}

/** Of methods that learn from images without labels. */
function learningOf ({ taught, labelFree }: Pick<Own, 'taught' | 'labelFree'>): Pick<Own, 'terms' | 'what'> | undefined {
  if (taught) return { terms: TAUGHT, what: ', nor what teachers make of images without labels' }
  return labelFree ? { terms: UNLABELLED, what: ', nor the predictor of rounds without labels, or its own encoder' } : undefined
}

/** What stays at a site by a method. */
function ownOf (method: MethodSettings): Own {
  const [keeps, copies, showsMoments] = [method.keeps != null, method.personal === 'copy', method.sharing?.includes('moments') === true]
  const has = (part: unknown): boolean => part != null
  const [tailored, related, mixes] = [has(method.units), has(method.relations), has(method.elementMix)]
  const [clustered, taught, labelFree] = [has(method.clusters), has(method.generalisation), has(method.pretrain)]
  const policy = method.sharing == null ? {} : { publish: method.sharing }
  const hasExperts = ![copies, tailored, related, mixes].includes(true)
  const parts = { keeps, showsMoments, copies, tailored, related, mixes, clustered, taught, labelFree }
  const own = { ...parts, hasExperts, policy, terms: {}, what: '' }
  const learning = learningOf(parts)
  if (learning != null) return { ...own, ...learning }
  const align = { ...ALIGN, target: showsMoments ? 'moments' : 'cyclic' } as const
  if (showsMoments) return { ...own, terms: { align }, what: ', nor the features whose moments it shows, or the discriminator' }
  if (keeps) return { ...own, terms: { align }, what: ', nor the decoder that the method keeps or the discriminator' }
  const spectra = ', nor the copies that the method has, nor of spectra what is outside the window'
  if (copies) return { ...own, terms: { augment: true, episode: EPISODE }, what: spectra }
  if (clustered) return { ...own, what: ', nor the features whose clusters it tells of' }
  const weak = { supervision: ['mask', 'box'] }
  if (tailored) return { ...own, terms: weak, what: ', nor what the site knows of units, or its pseudo-masks' }
  if (mixes) return { ...own, what: ', nor what it takes of the average, or its own in place of it' }
  return related ? { ...own, what: ', nor from whom it takes what' } : own
}

/** It is among these, so that it is looked for. */
function expectOwn (tensors: ReadonlyMap<string, NamedTensor>, method: MethodSettings): void {
  const { keeps, showsMoments, copies, tailored, related, mixes, taught, labelFree } = ownOf(method)
  const names = [...tensors.keys()]
  const hasAll = (beginning: string, ...rest: string[]): boolean => rest.every((each) => names.includes(beginning + each))
  expect(names.some((name) => name.startsWith('own.mask_decoder.')), 'the decoder is among the private tensors').to.equal(keeps)
  expect(names.some((name) => name.startsWith('own.site_discriminator.')), 'the discriminator is').to.equal(keeps || showsMoments)
  expect(hasAll('own.copy.', 'alone', 'update', 'served'), 'the copies are').to.equal(copies)
  expect(hasAll('own.units.', 'copy', 'moved', 'excess', 'individual'), 'units are').to.equal(tailored)
  expect(hasAll('own.mix.', 'own', 'taken'), 'the mixture is').to.equal(mixes)
  expect(hasAll('own.site_selection.', 'vector'), 'the site\'s vector is').to.equal(mixes)
  expect(hasAll('own.relations.', 'relations', 'peers', 'lent', 'taken'), 'relations are').to.equal(related)
  expect(hasAll('own.predictor.layers.', '0.weight', '1.weight'), 'the predictor is').to.equal(labelFree)
  expect(hasAll('own.pretrain.', 'encoder'), 'its own encoder is').to.equal(labelFree)
  expect(names.includes('own.teachers.threshold'), 'the threshold of teachers is').to.equal(taught)
}

/** Where all of the average is taken, the own is what lands: of no number is. */
function plantTaken (planted: Map<string, NamedTensor>): void {
  const taken = planted.get('own.mix.taken')
  if (taken == null) return
  planted.set('own.mix.taken', { ...taken, data: taken.data.map((_, i) => 0.25 + i % 200_000 * 1.7e-6) })
}

type Tensors = Map<string, NamedTensor>

/** A site that mixes learns what to take, and the site's vector, which is announced, is no canary. */
function expectAnnounced (
  { trained, before, planted }: { readonly trained: Tensors, readonly before: Tensors, readonly planted: Tensors },
  found: (needles: Needles) => number
): void {
  if (!trained.has('own.mix.taken')) return
  const [now, then] = [trained, planted].map((each) => each.get('own.mix.taken')!.data)
  expect(now, 'it learns what to take').to.not.deep.equal(then)
  expect(now!.every((each) => each < 1), 'of no number all').to.equal(true)
  const vectors = new Map([['of round 1', before.get('own.site_selection.vector')!]])
  expect(found({ name: 'vector', needles: floatNeedles(vectors, 6) }), 'the vector itself has left').to.be.above(0)
  for (const each of [trained, before, planted]) each.delete('own.site_selection.vector')
}

/** Where sites tell of clusters of patients: means over five and more leave, and nothing of a single one. */
async function expectMeansAlone (
  method: MethodSettings,
  { sent, found, folder }: { readonly sent: Buffer, readonly found: (needles: Needles) => number, readonly folder: string }
): Promise<void> {
  if (method.clusters == null) return
  expect(sent.includes(CLUSTER_FACTS), 'means over five patients and more have left').to.equal(true)
  const embeddings = await embeddingsOf(folder, SIDE)
  for (const tensors of [embeddings, pointsOf(embeddings, CLUSTERS.projection)]) {
    const single = { name: 'features and points of single patients', needles: floatNeedles(tensors, 8) }
    expect(single.needles.length, single.name).to.be.above(20)
    expect(found(single), single.name).to.equal(0)
  }
}

describe('what leaves a site', function () {
  this.timeout(1_800_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  const methods: MethodSettings[] = [
    { sharing: ['moments'] },
    { keeps: ['decoder'], sharing: ['core-adapter'] },
    { personal: 'copy', sharing: ['amplitude-bank'] },
    { units: UNITS, pseudo: PSEUDO, teacher: { ema: 0.99, weight: 0.1 } },
    { sharing: ['core-adapter'], relations: RELATIONS },
    SELECTING,
    { clusters: CLUSTERS },
    { generalisation: { step: 0.05 } },
    { pretrain: { ...PRETRAINING, rounds: 1, stay: 0.7 } }
  ]
  for (const method of methods) {
    const { copies, keeps, showsMoments, related, taught, labelFree, terms, hasExperts, what, policy } = ownOf(method)
    it(`on any protocol or topic, in full rounds, is its adapter, and no expert, optimiser state, pixel or file name${what}`, async () => {
      const section = await modelSection('no imported models', 'sam-tiny')
      const model = hasExperts ? section : { ...section, moe: { ...section.moe, blocks: [] } }
      const training = { ...trainingSection(model, { rounds: 2, seed: 1 }), ...terms }
      sites = await Sites.create(['a', 'b', 'rehearsal'], {
        coolDownSeconds: 60,
        codec: 'f32',
        model,
        training,
        method
      })
      for (const name of ['a', 'b']) await writeJson(sites.paths(name).policy, policy)
      const pixels = await writeSite(join(sites.folder, 'data-a'), 1)
      await writeSite(join(sites.folder, 'data-b'), 2)
      await dropMasks(join(sites.folder, 'data-a'), taught || labelFree)
      await boxOne(join(sites.folder, 'data-a'), method)
      const dicom = await writeDicomCanaries(join(sites.folder, 'data-a', 'dicom'))
      // A rehearsal alone makes private tensors of the right shapes.
      await sites.realDaemon('rehearsal', join(sites.folder, 'data-a'), { alone: true }).run()
      const rehearsed = readFloatTensors(await readFile(join(sites.paths('rehearsal').privateStore, 'experts.safetensors')))
      expect([...rehearsed.tensors.keys()].join(' '), 'the optimiser state is among the private tensors').to.match(/first|moment/)
      const planted = plant(rehearsed.tensors)
      expectOwn(planted, method)
      // It has chosen: the shared adapter with half of its own update.
      if (copies) planted.set('own.copy.facts', { shape: [3], data: Float32Array.of(0, 1 + SERVES.indexOf('tuned'), 0.5) })
      plantTaken(planted)
      await new PrivateStore(sites.paths('a').privateStore, rehearsed.metadata['schema_hash']!).save({
        round: 0,
        set: new PrivateSet(planted)
      })

      // So that a has to ask b how it ended.
      const initial = sites.paths('rehearsal').initialAdapter
      expect(readFloatTensors(await readFile(initial)).metadata['schema_hash']).to.equal(rehearsed.metadata['schema_hash'])
      await sites.leaveInDoubt('a', 'b', initial)

      const tap = new Tap()
      const saved = new Map<string, Buffer>()
      tap.onWrite = (chunk) => {
        if (chunk.length < BIG_WRITE) return
        // A vector is on the way: what it is made of mostly lies on its own disk, unless training or an exchange has just landed.
        const { adapter, initialAdapter } = sites.paths('a')
        const bytes = readFileSync(existsSync(adapter) ? adapter : initialAdapter)
        saved.set(createHash('sha256').update(bytes).digest('hex'), bytes)
      }
      const first = sites.realDaemon('b', join(sites.folder, 'data-b')).run()
      const { addresses } = await sites.statusOf('b', (status) => status.addresses.length > 0)
      await Promise.all([first, sites.realDaemon('a', join(sites.folder, 'data-a'), { bootstrap: addresses, tap: tap.wrap }).run()])

      const summary = await sites.summary('a')
      expect(Math.min(...summary.exchangesByRound), 'exchanges in each round').to.be.at.least(2)
      const sent = tap.bytes()
      expect(sent.length).to.be.at.least(summary.bytesSent)
      const found = ({ needles }: Needles): number => countFound(sent, needles)

      // Every protocol and topic was spoken, by this site.
      const id = summary.federation
      for (
        const spoken of [
          ...['kad/1.0.0', 'membership/1.0.0', 'adapter-exchange/1.0.0', 'outcome/1.0.0', 'announce/1'].map((name) =>
            `/consilium/${id}/${name}`
          ),
          '/ipfs/id/1.0.0',
          '/meshsub/'
        ]
      ) {
        expect(sent.includes(spoken), spoken).to.equal(true)
      }

      // The positive control: the tap does see what is sent, and these needles are found in it.
      const controls = [...saved.values()].map((bytes) => floatNeedles(readFloatTensors(bytes).tensors, 4))
      expect(controls.every((needles) => needles.length > 20)).to.equal(true)
      const part = Math.max(...controls.map((needles) => found({ name: 'adapter', needles }) / needles.length))
      expect(part, 'part of an adapter that is found').to.be.greaterThan(0.9)

      const trained = readFloatTensors(await readFile(join(sites.paths('a').privateStore, 'experts.safetensors'))).tensors
      const before = readFloatTensors(await readFile(join(sites.paths('a').privateStore, 'experts.previous.safetensors'))).tensors
      // The shared adapter as the phase began, which travels.
      for (const each of [trained, before, planted]) each.delete('own.units.before')
      expectAnnounced({ trained, before, planted }, found)
      if (related) {
        const [now, then] = [trained, planted].map((each) => each.get('own.relations.relations')!.data)
        expect(now, 'it learns from whom to take').to.not.deep.equal(then)
        // What it shows.
        for (const each of [trained, before, planted]) each.delete('own.relations.core')
      }
      const canaries: Needles[] = [
        { name: 'planted experts and optimiser state', needles: floatNeedles(planted, 6) },
        { name: 'experts and optimiser state after round 1', needles: floatNeedles(before, 6) },
        { name: 'experts and optimiser state after round 2', needles: floatNeedles(trained, 6) },
        { name: 'pixels', needles: pixels },
        { name: 'pixels of DICOM files', needles: dicom.pixels },
        { name: 'tags of DICOM files', needles: dicom.tags.map((text) => Buffer.from(text)) },
        {
          name: 'pixels as floats',
          needles: pixels.map((row) => Buffer.from(Float32Array.from(row.subarray(0, 4), (value) => value / 255).buffer))
        },
        {
          name: 'file names',
          needles: [PATIENT, Buffer.from(PATIENT).toString('base64').slice(0, -4), 'images/', 'data-a'].map((text) => Buffer.from(text))
        }
      ]
      canaries.push(...await poolNeedles(sites.paths('a').privateStore, method))
      for (const each of canaries) {
        expect(each.needles, each.name).not.to.be.empty
        expect(found(each), each.name).to.equal(0)
      }
      if (copies) {
        // What may be shown is: the tap sees it, and nothing beside it.
        expect(sent.includes(`/consilium/${id}/publication/1.0.0`)).to.equal(true)
        expect((await ledgerOf(sites, 'a')).includes('"kind":"publication"'), 'the bank itself has left').to.equal(true)
        const spectra = { name: 'spectra outside the window', needles: await spectrumNeedles(join(sites.folder, 'data-a')) }
        expect(spectra.needles.length).to.be.above(100)
        expect(found(spectra), spectra.name).to.equal(0)
      }
      await expectMeansAlone(method, { sent, found, folder: join(sites.folder, 'data-a') })
      await expectNoFeatures(sites, { keeps, showsMoments }, found)
      const ledger = await ledgerOf(sites, 'a')
      expect(ledger.includes('"kind":"exchange"')).to.equal(true)
      for (const { name, needles } of canaries) {
        expect(needles.filter((needle) => ledger.includes(needle)), `${name} in the ledger`).to.be.empty
      }
      // Nor do they get into what the home keeps, names of patients' sides among it; the series was trained on.
      const own = await everythingIn(sites.paths('a').home)
      expect(own.names.filter((name) => dicom.tags.some((tag) => name.includes(tag)))).to.be.empty
      expect(dicom.tags.filter((tag) => own.bytes.includes(tag)), 'tags of DICOM files in the home').to.be.empty
      expect(own.names, 'the key by which DICOM patients are hashed').to.include('patients.key')
    })
  }
})
