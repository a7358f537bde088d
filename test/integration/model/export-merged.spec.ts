import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import * as ort from '#onnxruntime/dist/index.js'
import { Adapter, adapterToSafetensors } from '../../../src/adapter/adapter.ts'
import { readFloatTensors } from '../../../src/adapter/safetensors.ts'
import { program } from '../../../src/cli/program.ts'
import { loadDataset, toImages } from '../../../src/dataset/index.ts'
import { InputError, UsageError } from '../../../src/errors.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { restoreMask } from '../../../src/model/sam/postprocess.ts'
import { loadWeights } from '../../../src/model/sam/weights.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { openPth } from '../../../src/site-model/base/pth/pth-file.ts'
import { createFederation } from '../../../src/site-model/create-federation.ts'
import { PrivateStore } from '../../../src/site-model/private-store.ts'
import { openSiteModel, type SiteModel } from '../../../src/site-model/site-model.ts'
import { fitScored } from '../../../src/site-model/split.ts'
import { channelsFirst, tensor } from '../../fixtures/portable.ts'

const SAMPLE = join(import.meta.dirname, '../../../samples/colin27/hospital-a')
const IMAGES = 10
const SIDE = 128
const LOW_RES = SIDE / 4

describe('export', function () {
  this.timeout(240_000)
  let folder: string
  let home: string
  let site: SiteModel
  let adapter: Adapter
  const at = (...names: string[]): string => join(folder, ...names)
  const run = async (...args: string[]): Promise<void> => { await program(['export', '--home', home, ...args]).parseAsync() }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    home = at('home')
    await createFederation({ home, name: 'x', rounds: 1 })
    site = await openSiteModel(home, { engine: 'onnx', provider: 'cpu', threads: 1 })
    const { learner } = site
    adapter = new Adapter(learner.schema, learner.initialAdapter().values.map((value, i) => value + (i % 7) / 100))
    await writeFile(sitePaths(home).adapter, adapterToSafetensors(adapter, { round: 3, weight: 5 }))
  })
  after(async () => {
    await site.close()
    await rm(folder, { recursive: true })
  })

  it('--merged writes the adapter of the home into its base, and no experts', async () => {
    await run('--merged', '--out', at('model.pth'))
    const wanted = site.learner.portable(adapter).merged()
    const file = await openPth(at('model.pth'))
    expect([...file.shapes.keys()]).to.have.members(Object.keys(wanted))
    expect([...file.shapes.keys()].filter((name) => /lora|expert|gate/.test(name))).to.deep.equal([])
    for (const [name, { data }] of Object.entries(wanted)) expect(await file.read(name)).to.deep.equal(data)
    await file.close()
  })

  it('--format transformers writes the same numbers under its names, and what they are', async () => {
    await run('--merged', '--format', 'transformers', '--out', at('hf'))
    const { weights } = loadWeights(samConfig('sam-tiny'), await readFile(at('hf', 'model.safetensors')))
    const wanted = site.learner.portable(adapter).merged()
    for (const [name, { data }] of Object.entries(wanted)) expect(weights[name]!.data, name).to.deep.equal(data)
    const config = JSON.parse(await readFile(at('hf', 'config.json'), 'utf8')) as { vision_config: object }
    expect(config.vision_config).to.include({ hidden_size: 128, num_hidden_layers: 4, image_size: SIDE, output_channels: 128 })
    expect(await readdir(at('hf'))).to.have.members(['config.json', 'model.safetensors', 'preprocessor_config.json'])
  })

  it('--format monai writes a bundle whose ONNX files mask ten images of the sample as the global model does', async () => {
    await run('--merged', '--format', 'monai', '--out', at('bundle'))
    expect(await readdir(at('bundle'), { recursive: true })).to.include.members([
      join('configs', 'metadata.json'), join('configs', 'inference.json'), join('docs', 'README.md'), join('docs', 'license.txt'),
      join('models', 'model.pt')
    ])
    const [encoder, decoder] = [await open('encoder'), await open('decoder')]
    const { slices } = await loadDataset(SAMPLE)
    const samples = await fitScored(slices.slice(0, IMAGES), SIDE)
    expect(samples).to.have.length(IMAGES)
    const wanted = await site.learner.predict({ adapter, samples, mode: 'global' })
    expect(wanted.every((mask) => mask.includes(1) && mask.includes(0))).to.equal(true)
    for (const [i, sample] of samples.entries()) {
      const image = tensor([1, 3, SIDE, SIDE], channelsFirst(toImages([sample]), SIDE))
      const { image_embeddings: embedding } = await encoder.run({ image })
      const { low_res_masks: maps } = await decoder.run({
        image_embeddings: embedding!,
        point_coords: tensor([1, 0, 2], []),
        point_labels: tensor([1, 0], []),
        mask_input: tensor([1, 1, LOW_RES, LOW_RES], new Float32Array(LOW_RES ** 2)),
        has_mask_input: tensor([1], [0])
      })
      const found = restoreMask((maps!.data as Float32Array).slice(0, LOW_RES ** 2), LOW_RES, sample)
      expect(overlap(found, wanted[i]!), sample.id).to.be.at.least(0.999)
    }
    await Promise.all([encoder.release(), decoder.release()])
  })

  const open = async (half: string): Promise<ort.InferenceSession> =>
    await ort.InferenceSession.create(at('bundle', 'models', `${half}.onnx`))

  it('--personal writes what stays at the site for this user alone', async () => {
    await run('--personal', '--out', at('own', 'x.safetensors')).then(
      () => expect.fail('nothing is kept yet'),
      (error: Error) => { expect(error).to.be.instanceOf(InputError).with.property('message').that.includes('keeps nothing') }
    )
    const set = await site.learner.exportPrivate()
    await new PrivateStore(sitePaths(home).privateStore, site.learner.schema.hash).save({ round: 3, set })
    await run('--personal', '--out', at('own', 'personal.safetensors'))
    const { tensors, metadata } = readFloatTensors(await readFile(at('own', 'personal.safetensors')))
    expect([...tensors.keys()]).to.have.members([...adapter.tensors(), ...set.reveal()].map(([name]) => name))
    expect(metadata).to.include({ round: '3', schema_hash: site.learner.schema.hash })
    if (process.platform === 'win32') return
    expect((await stat(at('own', 'personal.safetensors'))).mode & 0o777).to.equal(0o600)
    await mkdir(at('open'), { mode: 0o755 })
    await run('--personal', '--out', at('open', 'personal.safetensors')).then(
      () => expect.fail('others can enter the folder'),
      (error: Error) => { expect(error).to.be.instanceOf(InputError).with.property('message').that.includes('others on this machine') }
    )
    expect(await readdir(at('open'))).to.deep.equal([])
  })

  for (const [args, complaint] of [
    [['--merged', '--out', 'model.bin'], 'must end in .pth'],
    [['--merged', '--format', 'onnx', '--out', 'model.pth'], 'must be a folder'],
    [['--format', 'onnx', '--out', 'x'], 'needs --merged'],
    [['--merged', '--personal', '--out', 'model.pth'], 'exclude each other']
  ] as const) {
    it(`${args.join(' ')} is refused`, async () => {
      await run(...args).then(
        () => expect.fail('it was taken'),
        (error: Error) => { expect(error).to.be.instanceOf(UsageError).with.property('message').that.includes(complaint) }
      )
    })
  }
})

/** IoU; 1 of two empty ones. */
function overlap (one: Uint8Array, other: Uint8Array): number {
  const both = one.reduce((sum, value, i) => sum + (value > 0 && other[i]! > 0 ? 1 : 0), 0)
  const either = one.reduce((sum, value, i) => sum + (value > 0 || other[i]! > 0 ? 1 : 0), 0)
  return either === 0 ? 1 : both / either
}
