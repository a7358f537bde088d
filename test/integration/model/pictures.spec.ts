import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import type { Adapter } from '../../../src/adapter/adapter.ts'
import { readPictures } from '../../../src/home/pictures.ts'
import { evaluation } from '../../../src/model/classes/evaluation.ts'
import type { TrainerSetup } from '../../../src/rounds/trainer-messages.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { shownSamples } from '../../../src/site-model/trainer/pictures.ts'
import { openTrainerSession } from '../../../src/site-model/trainer/session.ts'
import { SiteScorer } from '../../../src/site-model/trainer/site-scorer.ts'

const DATA = join(import.meta.dirname, '../../../samples/colin27/hospital-d')

describe('pictures of validation images', function () {
  this.timeout(180_000)
  let folder: string

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  it('are kept by the trainer for this user alone, and without a name', async () => {
    const privateStore = join(folder, 'private')
    const model = await modelSection(folder, 'sam-tiny', 64)
    const session = await openTrainerSession({
      model,
      training: trainingSection(model, { rounds: 3, seed: 1 }),
      data: DATA,
      axis: 'auto',
      privateStore,
      models: folder,
      compute: { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' },
      siteSeed: 5,
      pictures: 5
    }, () => {})
    const { dice, intervals } = await session.score({ round: 2, adapter: session.ready.initial })
    expect(intervals, 'one subject').to.equal(undefined)
    const { round, shots } = (await readPictures(privateStore))!
    expect([round, shots.length]).to.deep.equal([2, 5])
    for (const { width, height, image, frozen, personal, scores } of shots) {
      const all = [image, frozen, personal]
      const seen = await Promise.all(all.map(async (uri) => await sharp(Buffer.from(uri.split(',')[1]!, 'base64')).metadata()))
      expect(seen.map((each) => [each.width, each.height])).to.deep.equal(all.map(() => [width, height]))
      expect(scores.frozen.dice).to.be.within(0, 1)
    }
    expect(shots.some(({ scores }) => scores.frozen.dice <= dice!.frozen)).to.equal(true)
    const file = join(privateStore, 'pictures.json')
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
    expect(await readFile(file, 'utf8')).not.to.include('colin27').and.not.to.include(DATA)
  })

  /** Of six patients, whose outlines a model finds as they are. */
  function scorerOf (privateStore: string, pictures: number, now: () => number): SiteScorer {
    const image = { height: 8, width: 8, fittedHeight: 4, fittedWidth: 4, side: 4, channels: 1 as const }
    const samples = Array.from({ length: 6 }, (_, i) => {
      const truth = Uint8Array.from({ length: 64 }, (__, at) => at < 8 * (i + 1) ? 1 : 0)
      return { ...image, id: `secret-${i}`, subject: `patient-${i}`, image: new Uint8Array(16).fill(90), mask: new Uint8Array(16), truth }
    })
    return new SiteScorer({
      learner: {
        serves: undefined,
        evaluate: async ({ samples: some, mode, onMasks }) => {
          const masks = some.map(({ truth }) => mode === 'frozen' ? new Uint8Array(truth.length) : truth)
          onMasks?.(masks)
          return await Promise.resolve(evaluation(some, masks, { labels: undefined, mode }))
        },
        evaluateAlone: async () => await Promise.resolve(undefined)
      },
      setup: { training: { seed: 1, rounds: 9 } as TrainerSetup['training'], privateStore, pictures },
      now
    }, samples)
  }

  async function score (privateStore: string, pictures: number): Promise<object> {
    return await scorerOf(privateStore, pictures, () => Date.UTC(2026, 10, 30)).score({} as Adapter, 3)
  }

  it('are drawn once a minute at most, and after the last round', async () => {
    let at = 0
    const privateStore = join(folder, 'often')
    const scorer = scorerOf(privateStore, 1, () => at)
    const drawn: number[] = []
    for (const [round, now] of [[1, 0], [2, 59_999], [3, 60_000], [4, 60_001], [9, 60_002], [10, 60_003]] as const) {
      at = now
      await scorer.score({} as Adapter, round)
      drawn.push((await readPictures(privateStore))!.round)
    }
    expect(drawn).to.deep.equal([1, 1, 3, 3, 9, 10])
  })

  it('come with intervals over patients, are found damaged, and are gone once the site is to keep none', async () => {
    const privateStore = join(folder, 'fake')
    const file = join(privateStore, 'pictures.json')
    expect(await score(privateStore, 2)).to.deep.equal({
      dice: { frozen: 0, global: 1, personal: 1 },
      intervals: { frozen: [0, 0], global: [1, 1], personal: [1, 1] }
    })
    const { t, round, shots } = (await readPictures(privateStore))!
    expect([t, round, shots.length]).to.deep.equal(['2026-11-30T00:00:00.000Z', 3, 2])
    expect(shots.map(({ scores }) => scores.frozen)).to.deep.equal(shots.map(() => ({ dice: 0, hd95: null })))
    expect(await readFile(file, 'utf8')).not.to.match(/secret|patient/)
    await writeFile(file, (await readFile(file, 'utf8')).replace('"round": 3', '"round": 7'))
    expect(await readPictures(privateStore).then(() => 'read', ({ message }: Error) => message)).to.equal('its checksum does not match')
    await score(privateStore, 0)
    expect(await readPictures(privateStore)).to.equal(undefined)
  })

  it('are chosen by the area of what is outlined: each of another patient where there are enough, from small to large', () => {
    const sample = (subject: string, area: number): { subject: string, truth: Uint8Array } =>
      ({ subject, truth: Uint8Array.from({ length: 100 }, (_, i) => i < area ? 1 : 0) })
    const five = ['e', 'a', 'd', 'b', 'c'].flatMap((name, i) => [sample(name, 10 * i + 9), sample(name, 10 * i + 5), sample(name, 0)])
    expect(shownSamples(five, 5)).to.deep.equal([0, 3, 6, 9, 12])
    const one = Array.from({ length: 20 }, (_, i) => sample('a', 5 * (20 - i)))
    expect(shownSamples(one, 5)).to.deep.equal([17, 13, 9, 5, 1])
    expect(shownSamples(one.slice(0, 2), 5)).to.deep.equal([1, 0])
    expect(shownSamples([sample('a', 0)], 5)).to.deep.equal([])
  })
})
