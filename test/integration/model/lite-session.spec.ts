import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { openTrainerSession } from '../../../src/site-model/trainer/session.ts'

const DATA = join(import.meta.dirname, '../../../samples/colin27/hospital-d')

describe('a trainer on the medical base', function () {
  this.timeout(300_000)
  let folder = ''

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-lite-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  it('learns without prompts what the base knows nothing of without them', async () => {
    const model = await modelSection(folder, 'litemedsam', 64)
    const session = await openTrainerSession({
      model,
      training: { ...trainingSection(model, { rounds: 2, seed: 1 }), stepsPerRound: 30 },
      data: DATA,
      axis: 'auto',
      privateStore: join(folder, 'private'),
      models: folder,
      compute: { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' },
      siteSeed: 5
    }, () => {})
    const { adapter } = await session.train({ phase: 'G', round: 1, adapter: session.ready.initial, done: 0, share: 1 })
    await session.train({ phase: 'L', round: 1, adapter: adapter!, done: 0, share: 1 })
    const { dice } = await session.score({ round: 1, adapter: adapter! })
    expect(dice!.frozen).to.be.below(0.05)
    expect(dice!.global).to.be.above(0.5)
    expect(dice!.personal).to.be.above(0.5)
  })
})
