import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import type { Fitted } from '../../../src/dataset/index.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { pixelKey } from '../../../src/model/pixel-key.ts'
import { Segmenter } from '../../../src/model/predict/segmenter.ts'
import { Learner } from '../../../src/model/train/learner.ts'
import { createFederation } from '../../../src/site-model/create-federation.ts'
import { evaluateSite } from '../../../src/site-model/evaluate-site.ts'
import { openPredictor } from '../../../src/site-model/open-predictor.ts'
import { openTrainerSession } from '../../../src/site-model/trainer/session.ts'
import { niftiBytes } from '../../unit/dataset/fixtures.ts'

const CASES = join(import.meta.dirname, '../../fixtures/field-cases')
const COMPUTE = { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' } as const

/** Looks at what a method is called with, and lets it go on; ends with what is returned. */
function watch (prototype: object, name: string, look: (args: readonly unknown[]) => void): () => void {
  const original = Reflect.get(prototype, name) as (...args: unknown[]) => unknown
  Reflect.set(prototype, name, function (this: unknown, ...args: unknown[]) {
    look(args)
    return original.apply(this, args)
  })
  return () => { Reflect.set(prototype, name, original) }
}

/** What reaches the model while `work` runs, as hashes. */
async function fed (work: () => Promise<unknown>): Promise<Set<string>> {
  const seen = new Set<string>()
  const note = (samples: readonly Fitted[]): void => { for (const each of samples) seen.add(pixelKey(each)) }
  const ends = [
    watch(Learner.prototype, 'train', ([, args]) => { note((args as { samples: Fitted[] }).samples) }),
    watch(Learner.prototype, 'evaluate', ([args]) => { note((args as { samples: Fitted[] }).samples) }),
    watch(Learner.prototype, 'segment', ([args]) => { note((args as { samples: Fitted[] }).samples) }),
    watch(Segmenter.prototype, 'segment', ([fitted]) => { note([fitted as Fitted]) })
  ]
  try {
    await work()
  } finally {
    for (const end of ends) end()
  }
  return seen
}

/** Six pictures of two patients, 16-bit or RGB, each different. */
async function pictures (folder: string, deep: boolean): Promise<void> {
  await Promise.all(['images', 'masks'].map(async (name) => await mkdir(join(folder, name), { recursive: true })))
  for (let i = 0; i < 6; i++) {
    const name = `p${i % 2}_${i}.png`
    const image = deep
      ? sharp(Uint16Array.from({ length: 32 * 32 }, (_, at) => 900 + at * 13 + i * 700), { raw: { width: 32, height: 32, channels: 1 } })
        .toColourspace('grey16')
      : sharp(Uint8Array.from({ length: 32 * 32 * 3 }, (_, at) => (at * 7 + i * 31) % 256), { raw: { width: 32, height: 32, channels: 3 } })
    await image.png().toFile(join(folder, 'images', name))
    await sharp(Uint8Array.from({ length: 32 * 32 }, (_, at) => at % 32 > 16 ? 255 : 0), { raw: { width: 32, height: 32, channels: 1 } })
      .toColourspace('b-w').png().toFile(join(folder, 'masks', name))
  }
}

/** Three cases of CT in Hounsfield units and of something else, in two files each or in a fourth dimension. */
async function twoChannels (folder: string, inOneFile: boolean): Promise<void> {
  await Promise.all(['imagesTr', 'labelsTr'].map(async (name) => await mkdir(join(folder, name), { recursive: true })))
  await writeFile(join(folder, 'dataset.json'), JSON.stringify({ channel_names: { 0: 'CT', 1: 'PET' } }))
  const [dims, count] = [[24, 24, 3], 24 * 24 * 3]
  for (let i = 0; i < 3; i++) {
    const ct = Array.from({ length: count }, (_, at) => -300 + (at * 13 + i * 71) % 700)
    const pet = Array.from({ length: count }, (_, at) => (at * at + i * 101) % 5000)
    const write = async (name: string, values: readonly number[], size = dims): Promise<void> => {
      await writeFile(join(folder, name), niftiBytes({ dims: size, values, datatype: 4 }))
    }
    await write(`labelsTr/v${i}x.nii`, ct.map((_, at) => at % 24 > 12 ? 1 : 0))
    if (inOneFile) await write(`imagesTr/v${i}x.nii`, [...ct, ...pet], [...dims, 2])
    else await Promise.all([ct, pet].map(async (values, channel) => { await write(`imagesTr/v${i}x_000${channel}.nii`, values) }))
  }
}

interface Kind {
  readonly settings: Readonly<Record<string, unknown>>
  readonly images: string
  readonly names: readonly string[]
}

const KINDS: Readonly<Record<string, Kind>> = {
  CT: { settings: {}, images: 'imagesTr', names: ['MRI'] },
  MR: { settings: { window: { percentiles: [2, 98] } }, images: 'images', names: ['CT'] },
  '16-bit picture': { settings: { window: { centre: 4000, width: 6000 } }, images: 'images', names: ['CT'] },
  RGB: { settings: {}, images: 'images', names: ['CT'] },
  'two channels in two files': { settings: { channels: [0, 1] }, images: 'imagesTr', names: ['MRI', 'CT'] },
  'two channels in one file': {
    settings: { channels: [1, 0, 0], window: ['auto', { centre: 50, width: 100 }, 'auto'] },
    images: 'imagesTr',
    names: ['MRI', 'CT']
  }
}

describe('training, evaluate and predict', function () {
  this.timeout(300_000)
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-pixels-'))
    await cp(join(CASES, 'C1-ct-predict'), join(folder, 'CT'), { recursive: true })
    await cp(join(CASES, 'C2-mr-phase'), join(folder, 'MR'), { recursive: true })
    await pictures(join(folder, '16-bit picture'), true)
    await pictures(join(folder, 'RGB'), false)
    await twoChannels(join(folder, 'two channels in two files'), false)
    await twoChannels(join(folder, 'two channels in one file'), true)
  })
  after(async () => { await rm(folder, { recursive: true }) })

  for (const [kind, { settings: shown, images, names }] of Object.entries(KINDS)) {
    it(`show the model the same pixels of ${kind}`, async () => {
      const [home, data] = [join(folder, `home of ${kind}`), join(folder, kind)]
      const settings = { training: { batchSize: 8 }, model: shown }
      const { document: { model, training, method } } = await createFederation({ home, name: 'x', rounds: 1, imageSize: 64, settings })
      const { privateStore, models } = sitePaths(home)
      const image = join(folder, `apart from ${kind}`)
      const predict = async (from: string): Promise<void> => {
        const predictor = await openPredictor({ home, mode: 'frozen', embeddingCache: 0, compute: COMPUTE })
        for (const name of (await readdir(from)).sort()) await predictor.segment({ image: join(from, name) })
        await predictor.close()
      }
      const before = await fed(async () => { await predict(join(data, images)) })
      const trained = await fed(async () => {
        const session = await openTrainerSession(
          { model, training, method, data, axis: 'auto', privateStore, models, compute: COMPUTE, siteSeed: 1 },
          () => {}
        )
        const { adapter } = await session.train({ phase: 'G', round: 1, done: 0, share: 1, adapter: session.ready.initial })
        await session.score({ round: 1, adapter: adapter! })
      })
      const evaluated = await fed(async () => { await evaluateSite(home, data, { split: 'all', compute: COMPUTE, tolerance: 2 }) })
      // A new patient's file lies somewhere without the data set's statement, and beside one that says otherwise.
      await cp(join(data, images), join(image, 'new'), { recursive: true })
      await writeFile(join(image, 'dataset.json'), JSON.stringify({ channel_names: { ...names } }))
      const elsewhere = await fed(async () => { await predict(join(image, 'new')) })
      expect(trained.size).to.be.at.least(4)
      for (const each of trained) expect(evaluated.has(each)).to.equal(true)
      expect(evaluated.size).to.be.at.least(trained.size)
      for (const each of evaluated) {
        expect(before.has(each), 'predict before training').to.equal(true)
        expect(elsewhere.has(each), 'predict of a file elsewhere').to.equal(true)
      }
      expect([...elsewhere].sort()).to.deep.equal([...before].sort())
    })
  }
})
