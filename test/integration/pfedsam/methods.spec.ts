import { expect } from 'chai'
import { loadSites } from '../../../bench/pfedsam/sites.ts'
import type { Adapter } from '../../../src/adapter/adapter.ts'
import { createEngine, type Engine } from '../../../src/compute/index.ts'
import { InputError } from '../../../src/errors.ts'
import { crossScores } from '../../../src/experiment/cross-scores.ts'
import type { SiteData } from '../../../src/experiment/data-source.ts'
import { GossipMixer } from '../../../src/experiment/gossip-mixer.ts'
import { settingsOf, type Job } from '../../../src/experiment/jobs.ts'
import { METHODS } from '../../../src/experiment/methods.ts'
import { openBase } from '../../../src/experiment/run-job.ts'
import { createSharedLearner, promiseOf, runMethod, type RunSettings, type TrainedSites } from '../../../src/experiment/run-method.ts'
import { tryUnseen } from '../../../src/experiment/unseen.ts'
import { massOf } from '../../../src/gossip-aggregation/mass.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import { presetOf } from '../../../src/settings/methods/index.ts'
import { MOMENT_CHANNELS } from '../../../src/settings/publications.ts'
import { squaredDistance } from '../../../src/simulation/measure.ts'

type Base = Awaited<ReturnType<typeof openBase>>

/** Numbers of the tensors whose names match. */
function part (adapter: Adapter, pattern: RegExp): number[] {
  return [...adapter.tensors()].flatMap(([name, { data }]) => pattern.test(name) ? [...data] : [])
}

describe('what every method does to the adapters', function () {
  this.timeout(240_000)
  let engine: Engine
  let base: Base
  let sites: SiteData[]

  before(async () => {
    engine = await createEngine({ name: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' })
    base = await openBase()
    sites = (await loadSites({ name: 'fundus-phantom', train: 2, validation: 1, seed: 1 }, base.config.imageSize)).slice(0, 2)
  })

  after(async () => { await engine.dispose() })

  const settingsFor = (name: string, settings: Job['settings'] = {}): RunSettings =>
    settingsOf({ data: 'fundus-phantom', method: name, seed: 1, rounds: 2, train: 2, validation: 1, scoreEvery: 2, settings }, base.config)

  async function train (
    name: string,
    use: (trained: TrainedSites) => void | Promise<void>,
    settings = settingsFor(name)
  ): Promise<void> {
    const method = METHODS.find((each) => each.name === name)!
    const learner = createSharedLearner({ engine, base, settings })
    await use(await runMethod({ learner, method, sites, settings }))
    await learner.dispose()
  }

  it('frozen: nothing is trained and nothing sent', async () => {
    await train('frozen', ({ models: [one, other], bytesSent, curve }) => {
      expect(one!.adapter).to.equal(other!.adapter)
      expect(bytesSent).to.deep.equal([0, 0])
      expect(curve).to.have.length(1)
    })
  })

  it('feddg: the sites end at one adapter, trained by looks too', async () => {
    await train('feddg', ({ models: [one, other], curve }) => {
      expect(one!.adapter.digest()).to.equal(other!.adapter.digest())
      expect(curve.at(-1)!.dice).to.not.deep.equal(curve[0]!.dice)
    })
  })

  it('fedda: the sites end at one adapter with discriminators of their own, and what cyclic shows is counted', async () => {
    const found = new Map<string, { digest: string, sent: number }>()
    for (const name of ['fedavg-lora', 'fedda-joint', 'fedda-cyclic'] as const) {
      // From the second of two rounds on the weight is above 0.
      await train(name, ({ models: [one, other], bytesSent }) => {
        expect(one!.adapter.digest(), name).to.equal(other!.adapter.digest())
        found.set(name, { digest: one!.adapter.digest(), sent: bytesSent[0]! })
        if (name === 'fedavg-lora') return
        const [mine, theirs] = [one!, other!].map(({ experts }) =>
          [...experts.reveal()].flatMap(([key, { data }]) => key.startsWith('own.site_discriminator.') ? [...data] : []))
        expect(mine, name).to.have.length.above(1_000)
        expect(mine, name).to.not.deep.equal(theirs)
      })
    }
    expect(new Set([...found.values()].map(({ digest }) => digest)).size).to.equal(3)
    const [plain, joint, cyclic] = [...found.values()].map(({ sent }) => sent) as [number, number, number]
    expect(joint).to.equal(plain)
    // Of two rounds' adapters the first one is shown to the other site.
    expect(cyclic).to.equal(1.5 * plain)
  }).timeout(600_000)

  it('fedda by moments: of two patients none are shown, and training is as without', async () => {
    const digests: string[] = []
    for (const name of ['fedavg-lora', 'fedda-moments']) {
      await train(name, ({ models: [one] }) => { digests.push(one!.adapter.digest()) })
    }
    expect(digests[1]).to.equal(digests[0])
  })

  it('fedda by moments: of five patients each they are shown, counted, and change what is trained', async () => {
    const five = (await loadSites({ name: 'fundus-phantom', train: 5, validation: 1, seed: 1 }, base.config.imageSize)).slice(0, 2)
    const found: { digest: string, sent: number }[] = []
    for (const name of ['fedavg-lora', 'fedda-moments']) {
      const settings = settingsFor(name)
      const learner = createSharedLearner({ engine, base, settings })
      const method = METHODS.find((each) => each.name === name)!
      const { models, bytesSent } = await runMethod({ learner, method, sites: five, settings })
      found.push({ digest: models[0]!.adapter.digest(), sent: bytesSent[0]! })
      await learner.dispose()
    }
    expect(found[1]!.digest).to.not.equal(found[0]!.digest)
    expect(found[1]!.sent - found[0]!.sent).to.equal(4 * 2 * MOMENT_CHANNELS)
  })

  it('apple: sites that take from each other end with the adapter that they have without, and serve what each learnt', async () => {
    const relations = { rate: 0.1, pull: 0, fade: 'exponential', pulled: 0.1, peers: 8, by: 'model' } as const
    await train('apple', ({ models: [one, other], bytesSent, parts }) => {
      const [mine, theirs] = [one!, other!].map(({ experts }) => experts.reveal().get('own.relations.relations')!.data)
      for (const each of [mine!, theirs!]) expect([...each.slice(0, 2)].map(Math.abs).every((value) => value > 0.001)).to.equal(true)
      expect(mine).to.not.deep.equal(theirs)
      for (const [first, second] of parts!) expect(first! + second!).to.be.closeTo(1, 1e-6)
      expect(parts![0]![0]! - parts![1]![0]!, 'each takes what it has learnt').to.be.closeTo(
        mine![0]! - theirs![1]! - (mine![0]! + mine![1]! - theirs![0]! - theirs![1]!) / 2,
        1e-6
      )
      // What landed is what the cores moved by, whoever takes what from whom.
      const cores = [one!, other!].map(({ experts }) => experts.reveal().get('own.relations.core')!.data)
      expect(cores[0], 'each trains its own').to.not.deep.equal(cores[1])
      const middle = one!.adapter.values.map((each, i) => (each + other!.adapter.values[i]!) / 2)
      const mean = middle.map((_, i) => (cores[0]![i]! + cores[1]![i]!) / 2)
      expect(Math.sqrt(squaredDistance(middle, mean) / squaredDistance(mean, new Float32Array(mean.length)))).to.be.below(1e-5)
      expect(bytesSent[0], 'of two rounds\' cores the first one is shown, beside the exchanges').to.be.above(4 * one!.adapter.values.length)
    }, { ...settingsFor('apple', { training: { stepsPerRound: 4 } }), method: { sharing: ['core-adapter'], relations } })
  }).timeout(600_000)

  it('spp-fgc: one cluster, by the document or as all sites are alike, is training bit for bit as without clusters', async () => {
    const [five] = await loadSites({ name: 'fundus-phantom', train: 5, validation: 1, seed: 1 }, base.config.imageSize)
    const twins = [five!, { ...five!, name: 'twin' }]
    const clusters = presetOf('spp-fgc').settings.method!.clusters as NonNullable<MethodSettings['clusters']>
    const found: { ends: string[], groups: readonly number[] | undefined }[] = []
    for (const method of [{}, { clusters: { ...clusters, count: 1 } }, { clusters }]) {
      const settings = { ...settingsFor('spp-fgc', { training: { stepsPerRound: 2 } }), method }
      const learner = createSharedLearner({ engine, base, settings })
      const trained = await runMethod({ learner, method: METHODS.find(({ name }) => name === 'spp-fgc')!, sites: twins, settings })
      found.push({ ends: trained.models.map(({ adapter }) => adapter.digest()), groups: trained.groupsFound })
      await learner.dispose()
    }
    const [plain, one, alike] = found
    expect(one).to.deep.equal(plain)
    expect(alike!.groups).to.deep.equal([0, 0])
    expect(alike!.ends).to.deep.equal(plain!.ends)
  }).timeout(600_000)

  it('fedicra: each site has a vector of its own, and takes of the average what it has learnt to', async () => {
    await train('fedicra', ({ models: [one, other], curve }) => {
      const [mine, theirs] = [one!, other!].map(({ experts }) => experts.reveal())
      for (const own of [mine!, theirs!]) expect([...own.get('own.mix.rounds')!.data]).to.deep.equal([2, 1])
      const vectors = [mine!, theirs!].map((own) => own.get('own.site_selection.vector')!.data)
      expect(vectors[0]).to.not.deep.equal(vectors[1])
      expect([one!, other!].map(({ facts }) => facts!['siteVector'])).to.deep.equal(vectors)
      for (const each of mine!.get('own.mix.taken')!.data) expect(each).to.be.within(0, 1)
      expect(curve.at(-1)!.dice).to.not.deep.equal(curve[0]!.dice)
    })
  }).timeout(600_000)

  it('local: every site ends elsewhere, and nothing is sent', async () => {
    await train('local', ({ models: [one, other], bytesSent, curve }) => {
      expect(one!.adapter.values).to.not.deep.equal(other!.adapter.values)
      expect(bytesSent).to.deep.equal([0, 0])
      expect(curve.map(({ round }) => round)).to.deep.equal([0, 2])
    })
  })

  it('centralised: one model for all', async () => {
    await train('centralised', ({ models: [one, other] }) => {
      expect(one).to.equal(other)
    })
  })

  it('FedAvg-LoRA and FedSAM: the same adapter everywhere, FedSAM with all of the model in it', async () => {
    const sizes: number[] = []
    for (const name of ['fedavg-lora', 'fedsam']) {
      await train(name, ({ models: [one, other], bytesSent, size }) => {
        expect(one!.adapter.values).to.deep.equal(other!.adapter.values)
        expect(bytesSent[0]).to.equal(2 * 4 * size)
        sizes.push(size)
      })
    }
    expect(sizes[1]).to.be.greaterThan(8 * sizes[0]!)
  })

  it('FedAvg-LoRA, then tuned alone: the last rounds send nothing, and sites part', async () => {
    await train('fedavg-tuned', ({ models: [one, other], bytesSent, size }) => {
      expect(one!.adapter.values).to.not.deep.equal(other!.adapter.values)
      expect(bytesSent).to.deep.equal([4 * size, 4 * size])
    })
  })

  it('FedPer: encoders agree, decoders do not, and only the encoder travels', async () => {
    await train('fedper', ({ models, size }) => {
      const [one, other] = models.map(({ adapter }) => adapter) as [Adapter, Adapter]
      expect(part(one, /^image_encoder/)).to.deep.equal(part(other, /^image_encoder/))
      const decoders = models.map(({ experts }) =>
        [...experts.reveal()].flatMap(([name, { data }]) => name.startsWith('own.mask_decoder.') ? [...data] : []))
      expect(decoders[0]).to.have.length.above(1_000)
      expect(decoders[0]).to.not.deep.equal(decoders[1])
      expect(part(one, /mask_decoder/)).to.deep.equal([])
      expect(size).to.equal(part(one, /^image_encoder/).length)
    })
  })

  it('pFedSAM: the adapters agree, exactly with a server and nearly by gossip; the experts do not', async () => {
    for (const [name, most] of [['pfedsam-server', 0], ['pfedsam-gossip', 2e-3]] as const) {
      await train(name, ({ models: [one, other] }) => {
        const apart = one!.adapter.values.reduce((largest, value, i) => Math.max(largest, Math.abs(value - other!.adapter.values[i]!)), 0)
        expect(apart, name).to.be.at.most(most)
        const experts = [one!, other!].map((model) =>
          [...model.experts.reveal()].flatMap(([key, { data }]) => key.includes('optimiser') ? [] : [...data])
        )
        expect(experts[0]).to.not.deep.equal(experts[1])
      })
    }
  })

  it('what of LoRA travels: B alone is less than both factors, the product more', async () => {
    const sizes = new Map<string, number>()
    for (const name of ['ffa', 'pfedsam-gossip', 'product-svd']) await train(name, ({ size }) => { sizes.set(name, size) })
    expect(sizes.get('ffa')).to.be.lessThan(sizes.get('pfedsam-gossip')!)
    expect(sizes.get('product-svd')).to.be.greaterThan(sizes.get('pfedsam-gossip')!)
  })

  it('experts first: they are fitted to the own adapter, before it is mixed', async () => {
    const experts: number[][] = []
    for (const name of ['experts-first', 'pfedsam-gossip']) {
      await train(name, ({ models: [one] }) => { experts.push([...one!.experts.reveal()].flatMap(([, { data }]) => [...data])) })
    }
    expect(experts[0]).to.not.deep.equal(experts[1])
  })

  it('repeats exactly', async () => {
    const ends: Float32Array[] = []
    for (let time = 0; time < 2; time++) await train('pfedsam-gossip', ({ models }) => { ends.push(models[1]!.adapter.values) })
    expect(ends[0]).to.deep.equal(ends[1])
  })

  it('DP of sites: what is shared is as far from the start as the noise of all landings is long, and sites still agree', async () => {
    const { noise, clip } = promiseOf(settingsFor('dp-site'))!
    await train('dp-site', async ({ models: [one, other], size }) => {
      const learner = createSharedLearner({ engine, base, settings: settingsFor('dp-site') })
      const far = Math.sqrt(squaredDistance(one!.adapter.values, learner.initialAdapter().values))
      // Two rounds of two sites, averaged.
      const expected = noise * clip * Math.sqrt(size * 2 / 2)
      expect(far).to.be.within(0.9 * expected, 1.1 * expected)
      expect(Math.sqrt(squaredDistance(one!.adapter.values, other!.adapter.values))).to.be.below(0.05 * far)
      await learner.dispose()
    })
  })

  it('DP of patients: the steps have noise that nobody can repeat', async () => {
    expect(promiseOf(settingsFor('dp-patient'))).to.include({ unit: 'patient', epsilon: 8 })
    const ends: Float32Array[] = []
    for (let time = 0; time < 2; time++) await train('dp-patient', ({ models }) => { ends.push(models[1]!.adapter.values) })
    expect(Math.sqrt(squaredDistance(ends[0]!, ends[1]!))).to.be.above(0.1)
  })

  for (const name of ['gin', 'cpss', 'feddg', 'fedda-joint', 'fedda-cyclic'] as const) {
    it(`${name}: by gossip the sum of mass times adapter moves by what was trained, and by nothing else`, async () => {
      const settings = settingsFor(name, { training: { stepsPerRound: 2 } })
      const learner = createSharedLearner({ engine, base, settings })
      const masses = sites.map(({ train: { length } }) => massOf(length, settings.averaging))
      const sums = (all: readonly Float32Array[]): Float64Array =>
        Float64Array.from(all[0]!, (_, i) => all.reduce((sum, values, site) => sum + masses[site]! * values[i]!, 0))
      const mixes: { trained: Float64Array, mixed: Float64Array }[] = []
      const mix = Reflect.get<GossipMixer, 'mix'>(GossipMixer.prototype, 'mix')
      GossipMixer.prototype.mix = async function (round, trained, factors) {
        const mixed = await mix.call(this, round, trained, factors)
        mixes.push({ trained: sums(trained), mixed: sums(mixed) })
        return mixed
      }
      try {
        const method = { ...METHODS.find((each) => each.name === name)!, mixing: 'gossip' as const }
        await runMethod({ learner, method, sites, settings })
      } finally {
        GossipMixer.prototype.mix = mix
        await learner.dispose()
      }
      expect(mixes).to.have.length(2)
      const length = (values: Float64Array): number => Math.sqrt(values.reduce((sum, each) => sum + each ** 2, 0))
      for (const { trained, mixed } of mixes) {
        // Of the adapter itself, whose numbers are float32 before and after: 24 bits, rounded a few times.
        expect(length(trained.map((each, i) => mixed[i]! - each)) / length(trained)).to.be.below(1e-6)
      }
      expect(mixes[1]!.trained, 'they train').to.not.deep.equal(mixes[0]!.mixed)
    })
  }

  it('a site that took no part adapts experts without labels and leaves the adapter as it was; without experts it does not', async () => {
    for (const [name, adapts] of [['pfedsam-gossip', true], ['gin', false]] as const) {
      const settings = settingsFor(name, { training: { stepsPerRound: 2 } })
      await train(name, async (trained) => {
        const before = trained.models[0]!.adapter.digest()
        const mode = METHODS.find((each) => each.name === name)!.mode
        const unseen = await tryUnseen({ engine, base, settings, mode }, trained, sites[1]!)
        expect(unseen.adapted != null, name).to.equal(adapts)
        if (adapts) expect(unseen.adapted!.dice).to.be.within(0, 1)
        expect(unseen.zeroShot.dice).to.be.within(0, 1)
        expect(trained.models[0]!.adapter.digest()).to.equal(before)
      }, settings)
    }
  })

  it('local: cross scores have a row for each model and a column for each site, and its own score for its own images', async () => {
    await train('local', async ({ models }) => {
      const { served, shared } = await crossScores(models, sites, 'personal')
      for (const [rows, mode] of [[served, 'personal'], [shared, 'global']] as const) {
        expect(rows.map(({ length }) => length)).to.deep.equal([2, 2])
        for (const [i, model] of models.entries()) {
          for (const [j, { validation }] of sites.entries()) {
            expect(rows[i]![j], `${mode} ${i} ${j}`).to.equal((await model.evaluate(validation, mode)).dice)
          }
        }
      }
      expect(served[0]).to.not.deep.equal(served[1])
    })
  })

  it('a server makes no promise to sites', async () => {
    const { unit, epsilon, delta, clip } = promiseOf(settingsFor('dp-site'))!
    const asked = settingsFor('fedavg-lora', { averaging: { weighting: 'uniform' }, privacy: { unit, epsilon, delta, clip } })
    const failure: unknown = await train('fedavg-lora', () => {}, asked).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(InputError).with.property('message').match(/privacy\.unit site is for gossip/)
  })
})
