import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readFloatTensors } from '../../../src/adapter/safetensors.ts'
import type { TrainerSetup } from '../../../src/rounds/trainer-messages.ts'
import { STEPS_PER_ROUND } from '../../../src/settings/training.ts'
import { modelSection, trainingSection } from '../../../src/site-model/fit-settings.ts'
import { openTrainerSession, type TrainerSession } from '../../../src/site-model/trainer/session.ts'

const DATA = join(import.meta.dirname, '../../../samples/colin27/hospital-d')

describe('a trainer whose method keeps the decoder at the site', function () {
  this.timeout(180_000)
  let folder: string
  let setup: TrainerSetup

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-session-'))
    const model = await modelSection(folder, 'sam-tiny', 64)
    setup = {
      model,
      training: { ...trainingSection(model, { rounds: 3, seed: 1 }), batchSize: 8 },
      method: { keeps: ['decoder'] },
      data: DATA,
      axis: 'auto',
      privateStore: '',
      models: folder,
      compute: { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' },
      siteSeed: 5
    }
  })

  after(async () => { await rm(folder, { recursive: true }) })

  async function open (store: string): Promise<TrainerSession> {
    return await openTrainerSession({ ...setup, privateStore: join(folder, store) }, () => {})
  }

  /** Phase G, and where asked for phase L, of one round; what the daemon would land. */
  async function train (session: TrainerSession, round: number, adapter: Float32Array, experts = true): Promise<Float32Array> {
    const { adapter: after } = await session.train({ phase: 'G', round, adapter, done: (round - 1) * STEPS_PER_ROUND, share: 1 })
    if (experts) await session.train({ phase: 'L', round, adapter: after!, done: 0, share: 1 })
    return after!
  }

  async function privateTensors (store: string): Promise<Map<string, number[]>> {
    const { tensors } = readFloatTensors(await readFile(join(folder, store, 'experts.safetensors')))
    return new Map([...tensors].map(([name, { data }]) => [name, [...data]]))
  }

  it('keeps the sides of its patients when others come, and says that it trains on more', async () => {
    const data = join(folder, 'growing')
    await cp(DATA, data, { recursive: true })
    const first = await openTrainerSession({ ...setup, data, privateStore: join(folder, 'growing-store') }, () => {})
    expect(first.ready.warnings).to.deep.equal([])
    for (const [i, name] of ['colin27_048', 'colin27_051', 'colin27_054'].entries()) {
      for (const kind of ['images', 'masks']) await cp(join(DATA, kind, `${name}.png`), join(data, kind, `other-patient_00${i}.png`))
    }
    const second = await openTrainerSession({ ...setup, data, privateStore: join(folder, 'growing-store') }, () => {})
    // By its hash the newcomer is for training; the slab of the first patient stays.
    expect(second.ready.validationImages).to.equal(first.ready.validationImages)
    expect(second.ready.images).to.equal(first.ready.images + 3)
    expect(second.ready.warnings).to.deep.equal([
      `this site now trains on ${second.ready.images} images, and on ${first.ready.images} when it started before: its part in the ` +
        'average is larger by as much'
    ])
  })

  it('repeats a round exactly whose adapter a crash lost, whichever round, and however often', async () => {
    const whole = await open('whole')
    const one = await train(whole, 1, whole.ready.initial)
    const two = await train(whole, 2, one)

    let site = await open('struck')
    expect(await train(site, 1, site.ready.initial, false)).to.deep.equal(one)
    for (let time = 0; time < 2; time++) {
      // Killed after the decoder was saved, before the daemon had the adapter: the next trainer is asked for the same round again.
      site = await open('struck')
      expect(await train(site, 1, site.ready.initial, time === 1)).to.deep.equal(one)
    }
    for (let time = 0; time < 3; time++) {
      site = await open('struck')
      expect(await train(site, 2, one, time === 2)).to.deep.equal(two)
    }
    expect(await privateTensors('struck')).to.deep.equal(await privateTensors('whole'))
  })

  it('goes on with the decoder of a phase that was made up for before the round\'s own', async () => {
    const short = { round: 1, done: 0, share: 0.1 }
    const made = await open('made')
    await made.train({ phase: 'G', ...short, adapter: made.ready.initial, asRound: 1 })
    const { adapter } = await made.train({ phase: 'G', ...short, adapter: made.ready.initial })
    const plain = await open('plain')
    expect(adapter).to.not.deep.equal((await plain.train({ phase: 'G', ...short, adapter: plain.ready.initial })).adapter)
  })

  it('goes on after a stop with the decoder that it had', async () => {
    const site = await open('whole')
    const { dice } = await site.score({ round: 2, adapter: site.ready.initial })
    expect(dice!.global).to.equal(dice!.frozen)
    expect(dice!.personal).to.not.equal(dice!.global)
  })
})
