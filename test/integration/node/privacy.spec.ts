import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { PrivateSet } from '../../../src/adapter/private-set.ts'
import { readFloatTensors, readSafetensors, type NamedTensor } from '../../../src/adapter/safetensors.ts'
import { seededRandom } from '../../../src/common/random.ts'
import { createEngine } from '../../../src/compute/index.ts'
import { fitSlice, planeOf } from '../../../src/dataset/index.ts'
import { lowFrequencies } from '../../../src/dataset/views/frequency.ts'
import { settingsOf } from '../../../src/experiment/jobs.ts'
import { openBase } from '../../../src/experiment/run-job.ts'
import { createSharedLearner } from '../../../src/experiment/run-method.ts'
import { writeJson } from '../../../src/home/files.ts'
import { EmbeddingCache } from '../../../src/model/predict/embedding-cache.ts'
import { SERVES, type MethodSettings } from '../../../src/settings/method.ts'
import { PSEUDO } from '../../../src/settings/methods/weak.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { PrivateStore } from '../../../src/site-model/private-store.ts'
import { writeDicomCanaries } from './dicom-canaries.ts'
import { Sites } from './sites.ts'
import { Tap } from './tap.ts'

const SIDE = 64
const IMAGES = 8
const PATIENT = 'canary-patient-0815'
/** Bytes of a needle: four floats or sixteen pixels do not occur by chance. */
const NEEDLE = 16
const BIG_WRITE = 20_000
const EPISODE = {
  weight: 1, window: 1, ratio: 'uniform', innerRate: 0, contrast: 0, temperature: 0.05, ring: 0.01, group: 5
} as const
const ALIGN = { by: 'adversarial', weight: 1, warmupRounds: 0 } as const

const UNITS = { update: 'smooth', share: 0.25, pivot: 0.15, slope: 20, warmupRounds: 0, contributes: 'common' } as const

const RELATIONS = { rate: 0.05, pull: 0, fade: 'exponential', pulled: 0, peers: 8, by: 'layer' } as const

interface Needles { readonly name: string, readonly needles: Buffer[] }

/** Noise with a disc: every row of pixels is a canary. */
async function writeSite (folder: string, seed: number): Promise<Buffer[]> {
  const random = seededRandom(seed)
  const rows: Buffer[] = []
  await mkdir(join(folder, 'images'), { recursive: true })
  await mkdir(join(folder, 'masks'))
  for (let image = 0; image < IMAGES; image++) {
    const pixels = Buffer.from(Array.from({ length: SIDE * SIDE }, () => Math.floor(random() * 256)))
    const mask = Buffer.from(pixels.map((_, i) => Math.hypot(i % SIDE - 30 - image, Math.floor(i / SIDE) - 30) < 16 ? 1 : 0))
    const name = `${PATIENT}-${seed}${String.fromCharCode(97 + image)}.png`
    const raw = { raw: { width: SIDE, height: SIDE, channels: 1 } } as const
    await sharp(pixels, raw).toColourspace('b-w').png().toFile(join(folder, 'images', name))
    await sharp(mask, raw).toColourspace('b-w').png().toFile(join(folder, 'masks', name))
    for (let y = 0; y < SIDE; y += 7) rows.push(pixels.subarray(y * SIDE, y * SIDE + NEEDLE))
  }
  return rows
}

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
    const fitted = await fitSlice({ id: name, subject: name, index: 0, height: SIDE, width: SIDE, channels: 1, image, mask }, 128)
    const found = lowFrequencies(planeOf(fitted, 0), 8).filter(({ u, v }) => Math.max(Math.abs(u), v) > EPISODE.window)
    const amplitudes = Float32Array.from(found, ({ real, imaginary }) => Math.hypot(real, imaginary))
    for (let i = 0; i + 4 <= amplitudes.length; i += 4) {
      const four = amplitudes.slice(i, i + 4)
      for (const each of [four, four.map(Math.log), four.map((value) => value * SIDE ** 2)]) needles.push(Buffer.from(each.buffer))
    }
  }
  return needles
}

/** Of what the untrained base makes of the images: what the moments that may be shown are made of. */
async function embeddingNeedles (folder: string): Promise<Buffer[]> {
  const engine = await createEngine({ name: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' })
  const base = await openBase()
  const job = { data: 'fundus-phantom', method: 'fedavg-lora', seed: 1, rounds: 1, train: 1, validation: 1, scoreEvery: 1 } as const
  const learner = createSharedLearner({ engine, base, settings: settingsOf(job, base.config) })
  const cache = new EmbeddingCache({ memoryBytes: 0 })
  const segmenter = learner.segmenter({ adapter: learner.initialAdapter(), mode: 'frozen', cache })
  const embeddings = new Map<string, NamedTensor>()
  for (const name of await readdir(join(folder, 'images'))) {
    const image = Uint8Array.from(await sharp(join(folder, 'images', name)).toColourspace('b-w').raw().toBuffer())
    const mask = new Uint8Array(SIDE ** 2)
    const slice = { id: name, subject: name, index: 0, height: SIDE, width: SIDE, channels: 1, image, mask } as const
    const { shape, data } = await segmenter.embedding(await fitSlice(slice, base.config.imageSize))
    embeddings.set(name, { shape: [...shape], data: Float32Array.from(data) })
  }
  await Promise.all([segmenter.dispose(), learner.dispose()])
  await engine.dispose()
  return floatNeedles(embeddings, 40)
}

/** Sixteen bytes from several places of each tensor, as little-endian floats. */
function floatNeedles (tensors: ReadonlyMap<string, NamedTensor>, perTensor: number): Buffer[] {
  const needles: Buffer[] = []
  for (const { data } of tensors.values()) {
    for (let i = 0; i < perTensor; i++) {
      const begin = Math.floor(i * (data.length - 4) / perTensor)
      const four = data.slice(begin, begin + 4)
      if (new Set(four).size === 4) needles.push(Buffer.from(four.buffer))
    }
  }
  return needles
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
  readonly hasExperts: boolean
  /** Of training, beside what is usual. */
  readonly terms: object
  readonly policy: object
  /** What does not leave of it, in words. */
  readonly what: string
}

/** What stays at a site by a method. */
function ownOf (method: MethodSettings): Own {
  const [keeps, copies, showsMoments] = [method.keeps != null, method.personal === 'copy', method.sharing?.includes('moments') === true]
  const [tailored, related] = [method.units != null, method.relations != null]
  const policy = method.sharing == null ? {} : { publish: method.sharing }
  const own = { keeps, showsMoments, copies, tailored, related, hasExperts: !copies && !tailored && !related, policy, terms: {}, what: '' }
  const align = { ...ALIGN, target: showsMoments ? 'moments' : 'cyclic' } as const
  if (showsMoments) return { ...own, terms: { align }, what: ', nor the features whose moments it shows, or the discriminator' }
  if (keeps) return { ...own, terms: { align }, what: ', nor the decoder that the method keeps or the discriminator' }
  const spectra = ', nor the copies that the method has, nor of spectra what is outside the window'
  if (copies) return { ...own, terms: { augment: true, episode: EPISODE }, what: spectra }
  const weak = { supervision: ['mask', 'box'] }
  if (tailored) return { ...own, terms: weak, what: ', nor what the site knows of units, or its pseudo-masks' }
  return related ? { ...own, what: ', nor from whom it takes what' } : own
}

/** It is among these, so that it is looked for. */
function expectOwn (tensors: ReadonlyMap<string, NamedTensor>, method: MethodSettings): void {
  const { keeps, showsMoments, copies, tailored, related } = ownOf(method)
  const names = [...tensors.keys()]
  const hasAll = (beginning: string, ...rest: string[]): boolean => rest.every((each) => names.includes(beginning + each))
  expect(names.some((name) => name.startsWith('own.mask_decoder.')), 'the decoder is among the private tensors').to.equal(keeps)
  expect(names.some((name) => name.startsWith('own.site_discriminator.')), 'the discriminator is').to.equal(keeps || showsMoments)
  expect(hasAll('own.copy.', 'alone', 'update', 'served'), 'the copies are').to.equal(copies)
  expect(hasAll('own.units.', 'copy', 'moved', 'excess', 'individual'), 'units are').to.equal(tailored)
  expect(hasAll('own.relations.', 'relations', 'peers', 'lent', 'taken'), 'relations are').to.equal(related)
}

describe('what leaves a site', function () {
  this.timeout(600_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  const methods: MethodSettings[] = [
    { sharing: ['moments'] },
    { keeps: ['decoder'], sharing: ['core-adapter'] },
    { personal: 'copy', sharing: ['amplitude-bank'] },
    { units: UNITS, pseudo: PSEUDO },
    { sharing: ['core-adapter'], relations: RELATIONS }
  ]
  for (const method of methods) {
    const { copies, showsMoments, related, terms, hasExperts, what, policy } = ownOf(method)
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
      const found = ({ needles }: Needles): number => needles.filter((needle) => sent.includes(needle)).length

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
      if (showsMoments) {
        expect((await ledgerOf(sites, 'a')).includes('"kind":"publication"'), 'the moments themselves have left').to.equal(true)
        const features = { name: 'features', needles: await embeddingNeedles(join(sites.folder, 'data-a')) }
        expect(features.needles.length).to.be.above(100)
        expect(found(features), features.name).to.equal(0)
      }
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
