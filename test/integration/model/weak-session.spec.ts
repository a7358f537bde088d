import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { TrainerSetup } from '../../../src/rounds/trainer-messages.ts'
import { presetOf } from '../../../src/settings/methods/index.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { openTrainerSession } from '../../../src/site-model/trainer/session.ts'

const IMAGES = join(import.meta.dirname, '../../../samples/colin27/hospital-d/images')
const NAMES = ['colin27_048', 'colin27_051', 'colin27_054']

describe('a trainer without any whole mask', function () {
  this.timeout(300_000)
  let folder: string
  let setup: TrainerSetup

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-weak-'))
    const data = join(folder, 'data')
    await mkdir(join(data, 'images'), { recursive: true })
    for (const name of NAMES) await cp(join(IMAGES, `${name}.png`), join(data, 'images', `${name}.png`))
    await writeFile(join(data, 'points.json'), JSON.stringify({ [NAMES[0]!]: [[60, 60, 1], [2, 2, 0]], [NAMES[1]!]: [[60, 60, 1]] }))
    await writeFile(join(data, 'boxes.json'), JSON.stringify({ [NAMES[2]!]: [[20, 20, 90, 100, 1]] }))
    const model = await modelSection(folder, 'sam-tiny', 64)
    const { supervision } = presetOf('partial').settings.training!
    setup = {
      model: { ...model, moe: { ...model.moe, blocks: [] } },
      training: { ...trainingSection(model, { rounds: 2, seed: 1 }), stepsPerRound: 3, supervision: [...supervision!] },
      data,
      axis: 'auto',
      privateStore: join(folder, 'private'),
      models: folder,
      compute: { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' },
      siteSeed: 5
    }
  })

  after(async () => { await rm(folder, { recursive: true }) })

  it('trains on what is marked, and has no Dice', async () => {
    const session = await openTrainerSession(setup, () => {})
    expect(session.ready).to.deep.include({ images: 3, validationImages: 0, skipped: {}, warnings: [] })
    const { adapter, loss, steps } = await session.train({ phase: 'G', round: 1, adapter: session.ready.initial, done: 0, share: 1 })
    expect(steps).to.equal(3)
    expect(loss).to.be.above(0).and.below(10)
    expect(adapter).to.not.deep.equal(session.ready.initial)
    expect(await session.score({ round: 1, adapter: adapter! })).to.deep.equal({})
  })

  it('is refused by a federation of whole masks', async () => {
    const { supervision: _, ...training } = setup.training
    const said = await openTrainerSession({ ...setup, training }, () => {}).then(() => '', (error: Error) => error.message)
    expect(said).to.include('has no masks/ beside images/')
  })
})
