import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { TrainerCalls } from '../../../src/rounds/trainer-messages.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { openTrainerSession, type TrainerSession } from '../../../src/site-model/trainer/session.ts'

const DATA = join(import.meta.dirname, '../../../samples/colin27/hospital-d')
const ROUNDS = 4

describe('a trainer whose method has copies of the adapter', function () {
  this.timeout(180_000)
  let folder: string

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-copies-')) })

  after(async () => { await rm(folder, { recursive: true }) })

  async function open (store: string): Promise<TrainerSession> {
    const model = await modelSection(folder, 'sam-tiny', 64)
    return await openTrainerSession({
      model: { ...model, moe: { ...model.moe, blocks: [] } },
      training: { ...trainingSection(model, { rounds: ROUNDS, seed: 1 }), stepsPerRound: 2 },
      method: { personal: 'copy' },
      data: DATA,
      axis: 'auto',
      privateStore: join(folder, store),
      models: folder,
      compute: { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' },
      siteSeed: 5
    }, () => {})
  }

  /** Both phases of one round; the others send nothing. */
  async function train (session: TrainerSession, round: number, adapter: Float32Array): Promise<Float32Array> {
    const work = { round, done: (round - 1) * 2, share: 1 }
    const { adapter: after = adapter } = round > ROUNDS ? {} : await session.train({ phase: 'G', adapter, ...work })
    await session.train({ phase: 'L', adapter: after, ...work })
    return after
  }

  it('says what the site would have alone and what it serves, after a restart as before, whatever the cool-down brings', async () => {
    let [site, struck] = [await open('whole'), await open('struck')]
    let [adapter, same] = [site.ready.initial, struck.ready.initial]
    let scores: TrainerCalls['score']['reply'] | undefined
    for (let round = 1; round <= ROUNDS; round++) {
      adapter = await train(site, round, adapter)
      same = await train(struck, round, same)
      struck = await open('struck')
      scores = await site.score({ round, adapter })
      expect(await struck.score({ round, adapter: same })).to.deep.equal(scores)
      expect(scores.dice!.alone).to.be.a('number')
      expect(scores.dice!.serves == null).to.equal(round < 3)
      if (round < 3) expect(scores.dice!.personal).to.equal(scores.dice!.global)
    }
    expect(site.ready.images).to.be.greaterThan(3)
    // The others drag the shared adapter away.
    const dragged = adapter.map((value) => value + 1)
    await train(site, ROUNDS + 1, dragged)
    const { dice } = await site.score({ round: ROUNDS + 1, adapter: dragged })
    expect(dice!.personal).to.be.at.least(scores!.dice!.personal)
    expect(dice!.alone).to.equal(scores!.dice!.alone)
    expect(dice!.global).to.be.lessThan(dice!.personal)
  })
})
