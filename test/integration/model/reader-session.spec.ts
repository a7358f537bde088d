import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readFloatTensors } from '../../../src/adapter/safetensors.ts'
import { loadDataset, loadImages } from '../../../src/dataset/index.ts'
import { InputError } from '../../../src/errors.ts'
import { isThere, writeJson } from '../../../src/home/files.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import type { TrainSettings } from '../../../src/settings/training.ts'
import { createFederation } from '../../../src/site-model/create-federation.ts'
import { evaluateSite } from '../../../src/site-model/evaluate-site.ts'
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

  interface Over {
    readonly training?: Partial<TrainSettings>
    readonly method?: MethodSettings
  }

  async function open (data: string, store: string, { training, method }: Over = {}): Promise<ReaderSession> {
    const section = await modelSection(folder, 'sam-tiny', 64)
    const model = method?.personal === 'copy' ? { ...section, moe: { ...section.moe, blocks: [] } } : section
    return await openReaderSession({
      model,
      training: { ...trainingSection(model, { rounds: ROUND, seed: 1 }), stepsPerRound: 2, ...training },
      ...(method == null ? {} : { method }),
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

  it('fits its update on top of the common model where the method has copies, and nothing else', async () => {
    const site = await open(bare, 'copies', { method: { personal: 'copy' } })
    const adapter = site.ready.initial
    // The cool-down is over: what is left of the common model is fitted to.
    const fit = await site.train({ phase: 'L', round: ROUND + 1, adapter, done: 0, share: 1 })
    expect(fit).to.not.have.any.keys('adapter')
    const { tensors } = readFloatTensors(await readFile(join(folder, 'copies', 'experts.safetensors')))
    const own = (name: string): Float32Array => tensors.get(`own.copy.${name}`)!.data
    // What it fitted is served in part at once, and begins anew.
    const moved = own('served').map((value, i) => Math.abs(value - adapter[i]!))
    expect(Math.max(...moved), 'what it serves').to.be.above(0)
    expect(own('update').every((value) => value === 0), 'a next update').to.equal(true)
    expect(own('alone'), 'the adapter of a site alone').to.deep.equal(adapter)
    expect([...tensors].flatMap(([name, { data }]) => name.startsWith('own.copy.') || data.every((value) => value === 0) ? [] : [name]))
      .to.deep.equal([])
  })

  it('fits nothing where training is prompted by boxes around masks, or the common model is sure of nothing', async () => {
    const nothing = { loss: NaN, steps: 0 }
    const prompted = await open(bare, 'prompted', { training: { prompt: 'box' } })
    const work = { phase: 'L', round: ROUND, adapter: prompted.ready.initial, done: 0, share: 1 } as const
    expect(await prompted.train(work)).to.deep.equal(nothing)
    // A decoder of zeros marks nothing.
    const unsure = await open(bare, 'unsure')
    expect(await unsure.train({ ...work, adapter: unsure.ready.initial.map(() => 0) })).to.deep.equal(nothing)
    for (const store of ['prompted', 'unsure']) {
      expect(await isThere(join(folder, store, 'experts.safetensors')), store).to.equal(false)
    }
  })

  it('has nothing to be scored by, unless masks are named', async () => {
    const home = join(folder, 'home')
    await createFederation({ home, name: 'North', rounds: 1 })
    await writeJson(sitePaths(home).config, { withoutLabels: true, data: bare })
    const options = { split: 'all', tolerance: 2, compute: { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' } } as const
    const error: unknown = await evaluateSite(home, undefined, options).catch((thrown: unknown) => thrown)
    expect(error).to.be.instanceOf(InputError).with.property('message').match(/has no labels to score by: name a folder with masks/)
    expect((await evaluateSite(home, LABELLED, options)).frozen.dice).to.be.within(0, 1)
  })
})
