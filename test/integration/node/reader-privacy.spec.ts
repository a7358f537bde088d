import { existsSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { Adapter } from '../../../src/adapter/adapter.ts'
import { readFloatTensors } from '../../../src/adapter/safetensors.ts'
import { createEngine } from '../../../src/compute/index.ts'
import { fitSlice, type Fitted } from '../../../src/dataset/index.ts'
import { createLearner } from '../../../src/site-model/learner.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { pseudoLabelled } from '../../../src/site-model/trainer/pseudo-labels.ts'
import { countFound, floatNeedles, PATIENT, SIDE, writeSite, type Needles } from './needles.ts'
import { Sites } from './sites.ts'
import { Tap } from './tap.ts'

const MARKED = 16
const BIG_WRITE = 20_000

/** Bytes of rows in which a mask is neither all nor nothing. */
function maskRows (samples: readonly Fitted[]): Buffer[] {
  return samples.flatMap(({ mask, fittedWidth: width }) => Array.from({ length: mask.length / width }, (_, y) => {
    const edge = mask.subarray(y * width, (y + 1) * width).findIndex((label, x, row) => x > 0 && label !== row[x - 1])
    // From there on; what is on both sides of an edge is not all equal.
    return edge < MARKED ? [] : [Buffer.from(mask.subarray(y * width + edge - MARKED / 2, y * width + edge + MARKED / 2))]
  }).flat())
}

describe('what leaves a site without labels', function () {
  this.timeout(600_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  it('is what it has read, and nothing of its images, of what it fits to them, or of what it takes for their masks', async () => {
    const model = await modelSection('no imported models', 'sam-tiny', 64)
    const training = { ...trainingSection(model, { rounds: 1, seed: 1 }), stepsPerRound: 2 }
    sites = await Sites.create(['b', 'c', 'a'], { coolDownSeconds: 60, codec: 'f32', model, training, rounds: 1 })
    const data = join(sites.folder, 'data-a')
    const pixels = await writeSite(data, 1, { masks: false })
    await writeSite(join(sites.folder, 'data-b'), 2)
    await writeSite(join(sites.folder, 'data-c'), 3)
    const tap = new Tap()
    const saved: Buffer[] = []
    tap.onWrite = (chunk) => {
      if (chunk.length < BIG_WRITE) return
      // What it has read mostly lies on its own disk when it is on the way; before it has read, what all start from.
      const { adapter, initialAdapter } = sites.paths('a')
      saved.push(readFileSync(existsSync(adapter) ? adapter : initialAdapter))
    }
    const b = sites.realDaemon('b', join(sites.folder, 'data-b')).run()
    const { addresses: bootstrap } = await sites.statusOf('b', ({ addresses }) => addresses.length > 0)
    const reader = sites.realDaemon('a', data, { bootstrap, tap: tap.wrap, settings: { withoutLabels: true } }).run()
    await sites.statusOf('a', ({ peers }) => peers > 0)
    await Promise.all([b, reader, sites.realDaemon('c', join(sites.folder, 'data-c'), { bootstrap }).run()])

    const sent = tap.bytes()
    const paths = sites.paths('a')
    const fitted = readFloatTensors(await readFile(join(paths.privateStore, 'experts.safetensors'))).tensors
    const adapter = readFloatTensors(await readFile(paths.adapter)).tensors
    const engine = await createEngine({ name: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' })
    const learner = await createLearner({ engine, model, training, models: 'none', siteSeed: 1 })
    const images: Fitted[] = []
    for (const name of await readdir(join(data, 'images'))) {
      const image = Uint8Array.from(await sharp(join(data, 'images', name)).toColourspace('b-w').raw().toBuffer())
      const mask = new Uint8Array(SIDE ** 2)
      const slice = { id: name, subject: name, index: 0, height: SIDE, width: SIDE, channels: 1, image, mask } as const
      images.push(await fitSlice(slice, model.imageSize))
    }
    const values = Float32Array.from([...adapter.values()].flatMap((each) => [...each.data]))
    const masks = maskRows(await pseudoLabelled(learner, new Adapter(learner.schema, values), images, undefined))
    await learner.dispose()
    await engine.dispose()
    const inFloats = pixels.map((row) => Buffer.from(Float32Array.from(row.subarray(0, 4), (each) => each / 255).buffer))
    const canaries: Needles[] = [
      { name: 'experts that it fitted', needles: floatNeedles(fitted, 6) },
      { name: 'pixels', needles: pixels },
      { name: 'pixels as floats', needles: inFloats },
      { name: 'masks that it takes for true', needles: masks },
      { name: 'file names', needles: [PATIENT, 'images/', 'data-a'].map((text) => Buffer.from(text)) }
    ]
    // The control: the tap sees what it has read, which its partners got.
    const parts = saved.map((bytes) => {
      const needles = floatNeedles(readFloatTensors(bytes).tensors, 4)
      return countFound(sent, needles) / needles.length
    })
    expect(Math.max(...parts), 'part of what it has read that is found').to.be.above(0.9)
    for (const { name, needles } of canaries) {
      expect(needles, name).not.to.be.empty
      expect(countFound(sent, needles), name).to.equal(0)
    }
  })
})
