import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { writeSafetensors, type NamedTensor } from '../../../../src/adapter/safetensors.ts'
import { InputError } from '../../../../src/errors.ts'
import { samConfig } from '../../../../src/model/sam/build-sam.ts'
import { loadWeights, weightsHash } from '../../../../src/model/sam/weights.ts'
import { importModel } from '../../../../src/site-model/base/import-model.ts'
import { findModel, findWeights, listModels } from '../../../../src/site-model/base/model-store.ts'
import { seeded } from '../../../sim/site.ts'
import { tinyWeights } from '../../model/golden.ts'
import { huggingFaceName } from '../../model/sam/hugging-face-name.ts'
import { fixCrc, mutate } from './mutate.ts'
import { writePth } from './pth-writer.ts'

const original = new Map(Object.entries(tinyWeights))
const config = samConfig('golden-128')

describe('model import', () => {
  let folder = ''
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-models-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  async function bring (bytes: Uint8Array, extra: { name?: string, architecture?: string } = {}): ReturnType<typeof importModel> {
    const file = join(folder, 'weights.pth')
    await writeFile(file, bytes)
    return await importModel({ file, folder: join(folder, 'models'), ...extra })
  }

  const failure = async (bytes: Uint8Array, extra?: { name?: string, architecture?: string }): Promise<string> =>
    await bring(bytes, extra).then(() => 'it was imported', (error: unknown) => {
      expect(error).to.be.instanceOf(InputError)
      return (error as Error).message
    })

  it('stores a .pth and a safetensors file of the same weights as the same model', async () => {
    const one = await bring(writePth(original))
    const other = await bring(writeSafetensors(original), { name: 'again' })
    expect(one).to.include({ name: 'golden-128', architecture: 'golden-128', parameters: 731_208, hash: weightsHash(tinyWeights) })
    expect(other.hash).to.equal(one.hash)
    const stored = loadWeights(config, await readFile(one.path))
    expect(stored.hash).to.equal(one.hash)
    expect(stored.weights['image_encoder.pos_embed']).to.deep.equal(tinyWeights['image_encoder.pos_embed'])
    expect((await listModels(join(folder, 'models'))).map(({ name }) => name)).to.deep.equal(['sam-tiny', 'litemedsam', 'again', 'golden-128'])
    expect(await findWeights(join(folder, 'models'), { name: 'golden-128', baseHash: one.hash })).to.equal(other.path)
    expect((await findModel(join(folder, 'models'), 'again')).parameters).to.equal(731_208)
  })

  it('names the tensor that is missing, superfluous, mis-shaped or not finite, and leaves nothing behind', async () => {
    const name = 'mask_decoder.iou_token.weight'
    const changed = (change: (tensors: Map<string, NamedTensor>) => void): Buffer => {
      const tensors = new Map(original)
      change(tensors)
      return writePth(tensors)
    }
    expect(await failure(changed((tensors) => tensors.delete(name)))).to.include(`${name} of model golden-128 is missing`)
    expect(await failure(changed((tensors) => tensors.set('extra', { shape: [1], data: Float32Array.of(1) })))).to.include(
      'extra is not part of'
    )
    expect(await failure(changed((tensors) => tensors.set(name, { shape: [64], data: new Float32Array(64) })))).to.include(
      `${name} has the shape [64]`
    )
    expect(await failure(changed((tensors) => tensors.set(name, { shape: [1, 64], data: new Float32Array(64).fill(NaN) })))).to.include(
      `${name} holds a value that is not finite`
    )
    expect(await failure(writePth(original), { architecture: 'vit-b' })).to.include('model vit-b')
    expect(await failure(writePth(original), { name: '../up' })).to.include('cannot be the name')
    expect(await failure(writePth(original), { name: 'sam-tiny' })).to.include('bundled')
    expect(await failure(writePth(new Map([['a', { shape: [1], data: Float32Array.of(1) }]])))).to.include(
      'not those of a SAM that can be used here (sam-tiny, vit-b, vit-l, vit-h, litemedsam)'
    )
    expect(await readdir(join(folder, 'models')).catch(() => [])).to.deep.equal([])
  })

  it('looks at the shapes of both copies of the Fourier matrix before it reads either', async () => {
    const tied = 'shared_image_embedding.positional_embedding'
    const theirs = new Map([...original].map(([name, tensor]) => [huggingFaceName(name), tensor]))
    const matrix = theirs.get('prompt_encoder.shared_embedding.positional_embedding')!
    theirs.set(tied, matrix)
    expect((await bring(writePth(theirs))).hash).to.equal(weightsHash(tinyWeights))
    // A view of one number, 8 GB of them: to be refused before it is unrolled.
    const endless = new Map([[tied, { shape: [2 ** 30, 2], strides: [0, 0] }]])
    expect(await failure(writePth(theirs, { views: endless }))).to.include('[1073741824, 2]').and.to.include('[2, 32]')
    const turned = new Map([['prompt_encoder.shared_embedding.positional_embedding', { shape: [32, 2], strides: [2, 1] }]])
    expect(await failure(writePth(theirs, { views: turned }))).to.include('[32, 2]')
  })

  it('refuses two tensors that mean the same one, by both their names', async () => {
    const theirs = new Map([...original].map(([name, tensor]) => [huggingFaceName(name), tensor]))
    theirs.set('image_encoder.pos_embed', original.get('image_encoder.pos_embed')!)
    expect(await failure(writePth(theirs))).to.include('vision_encoder.pos_embed').and.to.include(' image_encoder.pos_embed')
  })

  it('keeps the model that has the name already, unless the weights are the same', async () => {
    const { hash, path } = await bring(writePth(original), { name: 'base' })
    expect((await bring(writeSafetensors(original), { name: 'base' })).hash).to.equal(hash)
    const token = original.get('mask_decoder.iou_token.weight')!
    const others = new Map(original).set('mask_decoder.iou_token.weight', { ...token, data: token.data.with(0, 7) })
    expect(await failure(writePth(others), { name: 'base' })).to.include('there is a model named base already').and.to.include('--name')
    expect((await findModel(join(folder, 'models'), 'base')).hash).to.equal(hash)
    await writeFile(path, 'damaged')
    expect((await bring(writePth(original), { name: 'base' })).hash).to.equal(hash)
  })

  it('leaves nothing behind when it is stopped, and clears what a killed import left', async () => {
    const models = join(folder, 'models')
    const file = join(folder, 'weights')
    await writeFile(file, writePth(original))
    const controller = new AbortController()
    const stopped = await importModel({
      file,
      folder: models,
      signal: controller.signal,
      onProgress: (done, total) => {
        if (done === total - 1) controller.abort(new InputError('it was stopped'))
      }
    }).catch((error: unknown) => error)
    expect((stopped as Error).message).to.include('it was stopped')
    expect(await readdir(models)).to.deep.equal([])
    await writeFile(join(models, 'vit-h.safetensors.4242'), 'half')
    await importModel({ file, folder: models })
    expect(await readdir(models)).to.deep.equal(['golden-128.safetensors'])
  })

  it('gives a named error for 200 truncated, altered and spliced files, or imports them, and never keeps a part', async () => {
    const random = seeded(2)
    const whole = writePth(original)
    // Of these 3 MB nearly all is numbers: most changes go into the pickle.
    const pickle = whole.indexOf('PK\x03\x04', 4)
    const models = join(folder, 'models')
    let unharmed = 0
    for (let run = 0; run < 200; run++) {
      const bytes = mutate(whole, random, run % 4 === 0 ? whole.length : pickle)
      try {
        await bring(run % 2 === 0 ? bytes : fixCrc(bytes), { name: `run-${run}` })
        unharmed++
        await rm(join(models, `run-${run}.safetensors`))
      } catch (error) {
        expect(error, `run ${run}`).to.be.instanceOf(InputError)
      }
      expect(await readdir(models).catch(() => []), `run ${run}`).to.deep.equal([])
    }
    expect(unharmed).to.be.below(100)
  }).timeout(60_000)

  it('says which models there are when one is missing', async () => {
    await bring(writePth(original))
    const models = join(folder, 'models')
    const ask = async (promise: Promise<unknown>): Promise<string> =>
      await promise.then(() => '', (error: unknown) => (error as Error).message)
    expect(await ask(findModel(models, 'vit-x'))).to.include('sam-tiny, litemedsam, golden-128').and.to.include('model import')
    expect(await ask(findWeights(models, { name: 'vit-b', baseHash: 'f'.repeat(64) }))).to.include('ffffffffffff')
    await writeFile(join(models, 'broken.safetensors'), 'no')
    expect(await ask(listModels(models))).to.include('broken.safetensors cannot be used')
  })
})
