import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Adapter } from '../../../src/adapter/adapter.ts'
import { createEngine } from '../../../src/compute/index.ts'
import { loadDataset } from '../../../src/dataset/index.ts'
import type { TrainerSetup } from '../../../src/rounds/trainer-messages.ts'
import { STEPS_PER_ROUND } from '../../../src/settings/training.ts'
import { Corrections } from '../../../src/site-model/corrections/corrections.ts'
import { engineOptions } from '../../../src/site-model/engine-options.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { createLearner } from '../../../src/site-model/learner.ts'
import { readSides } from '../../../src/site-model/sides.ts'
import { fitScored } from '../../../src/site-model/split.ts'
import { openTrainerSession, type TrainerSession } from '../../../src/site-model/trainer/session.ts'
import { png } from '../../unit/dataset/fixtures.ts'

const SIDE = 64
const COMPUTE = { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' } as const
const NEW = 'newcomer'

/** A bright disc and a dark square; of the newcomer the square is what is sought, of all others the disc. */
function pixel (i: number): (x: number, y: number) => number {
  return (x, y) => isDisc(i)(x, y) ? 220 : isSquare(i)(x, y) ? 10 : 90 + (x * 7 + y * 13 + i) % 17
}

function isDisc (i: number): (x: number, y: number) => boolean {
  return (x, y) => Math.hypot(x - 18 - i % 5, y - 20 - i % 7) < 9
}

function isSquare (i: number): (x: number, y: number) => boolean {
  return (x, y) => Math.max(Math.abs(x - 44 + i % 6), Math.abs(y - 42 + i % 4)) < 9
}

async function picture (data: string, name: string, i: number, mask?: (x: number, y: number) => boolean): Promise<void> {
  await writeFile(join(data, 'images', `${name}_${String(i).padStart(2, '0')}.png`), await png(SIDE, SIDE, pixel(i)))
  if (mask != null) {
    await writeFile(join(data, 'masks', `${name}_${String(i).padStart(2, '0')}.png`), await png(SIDE, SIDE, (x, y) => mask(x, y) ? 255 : 0))
  }
}

async function hospital (data: string): Promise<void> {
  for (const name of ['images', 'masks']) await mkdir(join(data, name), { recursive: true })
  for (const subject of ['p1', 'p2', 'p3']) for (let i = 0; i < 4; i++) await picture(data, `${data.slice(-1)}${subject}`, i, isDisc(i))
}

describe('corrections and the rounds of two sites', function () {
  this.timeout(600_000)
  let folder: string
  let setup: TrainerSetup
  const at = (name: string): string => join(folder, name)

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-corrections-'))
    const model = await modelSection(folder, 'sam-tiny', SIDE)
    setup = {
      model,
      training: { ...trainingSection(model, { rounds: 3, seed: 1 }), batchSize: 4 },
      data: '',
      axis: 'auto',
      privateStore: '',
      models: folder,
      compute: COMPUTE,
      correctionWeight: 2,
      siteSeed: 5
    }
    for (const name of ['a', 'b', 'neighbours']) await hospital(at(name))
    for (let i = 0; i < 20; i++) await picture(at('a'), NEW, i)
    for (let i = 1; i < 20; i += 2) await picture(at('neighbours'), NEW, i, isSquare(i))
  })
  after(async () => { await rm(folder, { recursive: true }) })

  const open = async (data: string, store: string): Promise<TrainerSession> =>
    await openTrainerSession({ ...setup, data: at(data), privateStore: at(store) }, () => {})

  /** One round: both sites train, and move to their mean. */
  async function round (sites: readonly TrainerSession[], adapter: Float32Array, number: number): Promise<Float32Array> {
    const trained: Float32Array[] = []
    for (const site of sites) {
      const { adapter: own } = await site.train({ phase: 'G', round: number, adapter, done: (number - 1) * STEPS_PER_ROUND, share: 1 })
      trained.push(own!)
    }
    return adapter.map((_, i) => trained.reduce((sum, each) => sum + each[i]! / trained.length, 0))
  }

  async function save (corrections: Corrections, i: number): Promise<string> {
    const labels = await png(SIDE, SIDE, (x, y) => isSquare(i)(x, y) ? 1 : 0)
    const stem = `${NEW}_${String(i).padStart(2, '0')}`
    const { id } = await corrections.save({ labels, data: at('a'), stem, image: 'x', author: 'x', ending: '.png' }, new Date(i))
    return id
  }

  async function diceOfNeighbours (values: Float32Array): Promise<number> {
    const engine = await createEngine(engineOptions(COMPUTE))
    const learner = await createLearner({ ...setup, engine })
    try {
      const { slices } = await loadDataset(at('neighbours'))
      const samples = await fitScored(slices.filter(({ subject }) => subject === NEW), SIDE)
      expect(samples).to.have.length(10)
      return (await learner.evaluate({ adapter: new Adapter(learner.schema, values), samples, mode: 'global' })).dice
    } finally {
      await learner.dispose()
      await engine.dispose()
    }
  }

  it('ten corrected slices raise Dice on their neighbours in the next round; undone, the labels are those of before', async () => {
    const [a, b] = [await open('a', 'store-a'), await open('b', 'store-b')]
    const first = await round([a, b], a.ready.initial, 1)
    const before = (await readSides(at('store-a'))).digest
    const control = await diceOfNeighbours(await round([await open('a', 'control-a'), await open('b', 'control-b')], first, 2))

    const corrections = new Corrections(at('store-a'))
    const ids: string[] = []
    for (let i = 0; i < 20; i += 2) ids.push(await save(corrections, i))
    // The site that runs takes them in by itself.
    const corrected = await diceOfNeighbours(await round([a, b], first, 2))
    const { digest, images } = await readSides(at('store-a'))
    expect(digest).not.to.equal(before)
    expect(images).to.equal(a.ready.images + 10)
    expect(corrected).to.be.above(control + 0.05)

    for (const id of ids) await corrections.undo(id)
    await a.train({ phase: 'G', round: 3, adapter: first, done: 2 * STEPS_PER_ROUND, share: 1 })
    expect((await readSides(at('store-a'))).digest).to.equal(before)
  })
})
