import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadDataset, loadImages } from '../../../src/dataset/index.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { openReaderSession, type ReaderSession } from '../../../src/site-model/trainer/reader-session.ts'

const LABELLED = join(import.meta.dirname, '../../../samples/colin27/hospital-d')
const ROUND = 7

describe('a trainer without labels', function () {
  this.timeout(180_000)
  let folder: string
  let bare: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-reader-'))
    bare = join(folder, 'bare')
    await cp(join(LABELLED, 'images'), join(bare, 'images'), { recursive: true })
  })
  after(async () => { await rm(folder, { recursive: true }) })

  async function open (data: string, store: string): Promise<ReaderSession> {
    const model = await modelSection(folder, 'sam-tiny', 64)
    return await openReaderSession({
      model,
      training: { ...trainingSection(model, { rounds: ROUND, seed: 1 }), stepsPerRound: 2 },
      data,
      withoutLabels: true,
      axis: 'auto',
      privateStore: join(folder, store),
      models: folder,
      compute: { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' },
      siteSeed: 5
    }, () => {})
  }

  it('takes a folder of images that one with labels refuses, naming the flag, and sees no mask where there are some', async () => {
    const error = await loadDataset(bare).catch((thrown: unknown) => thrown as Error)
    expect((error as Error).message).to.include('has no masks/ beside images/').and.include('--without-labels')
    const [without, beside] = [await loadImages(bare), await loadImages(LABELLED)]
    expect(without.problems).to.deep.equal([])
    expect(beside.slices.map(({ id, image, mask }) => ({ id, image, mask })))
      .to.deep.equal(without.slices.map(({ id, image, mask }) => ({ id, image, mask })))
    expect(without.slices.every(({ mask }) => mask.every((label) => label === 0))).to.equal(true)
  })

  it('fits its own parts to what the common model is sure of, nothing that travels, and no round twice', async () => {
    const site = await open(bare, 'own')
    expect(site.ready).to.include({ validationImages: 0, privateRound: 0 })
    expect(site.ready.images).to.be.above(3)
    const work = { round: ROUND, adapter: site.ready.initial, done: 0, share: 1 }
    expect(await site.train({ ...work, phase: 'G' })).to.deep.equal({ loss: NaN, steps: 0 })
    const fit = await site.train({ ...work, phase: 'L' })
    expect(fit).to.include({ steps: 2 }).and.not.have.any.keys('adapter')
    expect(fit.loss).to.be.within(0, 2)
    const again = await open(bare, 'own')
    expect(again.ready.privateRound).to.equal(ROUND)
    expect(await again.train({ ...work, phase: 'L' })).to.deep.equal({ loss: NaN, steps: 0 })
    const labelled = await open(LABELLED, 'other')
    await labelled.train({ ...work, phase: 'L' })
    const kept = async (store: string): Promise<Buffer> => await readFile(join(folder, store, 'experts.safetensors'))
    expect((await kept('own')).equals(await kept('other'))).to.equal(true)
  })
})
