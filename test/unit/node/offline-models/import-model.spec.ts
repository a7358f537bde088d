import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { writeSafetensors, type NamedTensor } from '../../../../src/adapter/safetensors.ts'
import { InputError } from '../../../../src/errors.ts'
import { samConfig } from '../../../../src/model/sam/build-sam.ts'
import { loadWeights, weightsHash } from '../../../../src/model/sam/weights.ts'
import { importModel } from '../../../../src/node/offline/models/import-model.ts'
import { findModel, findWeights, listModels } from '../../../../src/node/offline/models/model-store.ts'
import { tinyWeights } from '../../model/golden.ts'
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
    expect((await listModels(join(folder, 'models'))).map(({ name }) => name)).to.deep.equal(['sam-tiny', 'again', 'golden-128'])
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
    expect(await failure(changed((tensors) => tensors.set('extra', { shape: [1], data: Float32Array.of(1) })))).to.include('extra is not part of')
    expect(await failure(changed((tensors) => tensors.set(name, { shape: [64], data: new Float32Array(64) })))).to.include(`${name} has the shape [64]`)
    expect(await failure(changed((tensors) => tensors.set(name, { shape: [1, 64], data: new Float32Array(64).fill(NaN) })))).to.include(`${name} holds a value that is not finite`)
    expect(await failure(writePth(original), { architecture: 'vit-b' })).to.include('model vit-b')
    expect(await failure(writePth(original), { name: '../up' })).to.include('cannot be the name')
    expect(await failure(writePth(original), { name: 'sam-tiny' })).to.include('bundled')
    expect(await failure(writePth(new Map([['a', { shape: [1], data: Float32Array.of(1) }]])))).to.include('not those of a SAM')
    expect(await readdir(join(folder, 'models')).catch(() => [])).to.deep.equal([])
  })

  it('says which models there are when one is missing', async () => {
    await bring(writePth(original))
    const models = join(folder, 'models')
    const ask = async (promise: Promise<unknown>): Promise<string> => await promise.then(() => '', (error: unknown) => (error as Error).message)
    expect(await ask(findModel(models, 'vit-x'))).to.include('sam-tiny, golden-128').and.to.include('model import')
    expect(await ask(findWeights(models, { name: 'vit-b', baseHash: 'f'.repeat(64) }))).to.include('ffffffffffff')
    await writeFile(join(models, 'broken.safetensors'), 'no')
    expect(await ask(listModels(models))).to.include('broken.safetensors cannot be used')
  })
})
