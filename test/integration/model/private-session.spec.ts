import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { mechanismOf } from '../../../src/privacy/mechanism.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { openTrainerSession } from '../../../src/site-model/trainer/session.ts'

const DATA = join(import.meta.dirname, '../../../samples/colin27/hospital-d')

describe('a trainer that is private to patients', function () {
  this.timeout(180_000)

  it('trains a round on patients of a folder, never twice alike, and its experts as always', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'consilium-session-'))
    try {
      const model = await modelSection(folder, 'sam-tiny', 64)
      const training = { ...trainingSection(model, { rounds: 3, seed: 1 }), stepsPerRound: 3, teacherG: 'global' as const }
      const privacy = mechanismOf({ privacy: { unit: 'patient', epsilon: 8, delta: 1e-3, clip: 0.1, rate: 0.5, slices: 2 }, training })
      const compute = { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' } as const
      const setup = { model, training, privacy, data: DATA, axis: 'auto', models: folder, compute, siteSeed: 5 } as const
      const session = await openTrainerSession({ ...setup, privateStore: join(folder, 'private') }, () => {})
      const { initial } = session.ready
      const work = { phase: 'G', round: 1, adapter: initial, done: 0, share: 1 } as const
      const [one, other] = [await session.train(work), await session.train(work)]
      expect([one.steps, other.steps]).to.deep.equal([3, 3])
      for (const { adapter } of [one, other]) {
        expect(adapter!.every(Number.isFinite)).to.equal(true)
        expect(adapter!.filter((value, i) => value !== initial[i]).length).to.be.above(0.9 * initial.length)
      }
      expect(one.adapter!.filter((value, i) => value === other.adapter![i]).length).to.be.below(0.1 * initial.length)
      expect((await session.train({ ...work, phase: 'L', adapter: one.adapter! })).loss).to.be.above(0)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
