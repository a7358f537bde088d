import { expect } from 'chai'
import { createSchema } from '../../../../src/adapter/schema.ts'
import { SchemaError } from '../../../../src/errors.ts'
import type { Learner } from '../../../../src/model/train/learner.ts'
import { defaultModelSettings, type ModelSettings } from '../../../../src/settings/model.ts'
import { config, createLearner, disc } from '../learners.ts'

const samples = [0, 1, 2, 3, 4].map(disc)
const choice = { train: samples.slice(1), held: samples.slice(0, 1) }
const ROUNDS = 4

const NO_EXPERTS: Partial<ModelSettings> = { moe: { ...defaultModelSettings(config).moe, blocks: [] } }

async function copying (rounds = ROUNDS): Promise<Learner> {
  return await createLearner({ rounds, model: NO_EXPERTS, method: { personal: 'copy' } })
}

describe('a site that trains copies of the adapter', function () {
  this.timeout(60_000)

  it('lets out what FedAvg-LoRA would, on the images that it does not choose by, and on all of them afterwards', async () => {
    const [learner, plain] = [await copying(), await createLearner({ rounds: ROUNDS, model: NO_EXPERTS })]
    let [ours, theirs] = [learner.initialAdapter(), plain.initialAdapter()]
    for (let round = 1; round <= ROUNDS; round++) {
      ours = (await learner.train('G', { adapter: ours, samples, choice, round })).adapter
      await learner.train('L', { adapter: ours, samples, choice, round })
      theirs = (await plain.train('G', { adapter: theirs, samples: round < ROUNDS ? choice.train : samples, round })).adapter
      expect(ours.values).to.deep.equal(theirs.values)
    }
    await Promise.all([learner.dispose(), plain.dispose()])
  })

  it('has beside it what it would have alone, whatever the others send', async () => {
    const [learner, plain] = [await copying(8), await createLearner({ rounds: 8, model: NO_EXPERTS })]
    let adapter = plain.initialAdapter()
    const others = learner.initialAdapter()
    for (let round = 1; round <= 3; round++) {
      adapter = (await plain.train('G', { adapter, samples: choice.train, round })).adapter
      const { adapter: same, steps } = await learner.train('L', { adapter: others, samples, choice, round })
      expect(same).to.equal(others)
      expect(steps).to.equal(2)
    }
    const { perSample } = (await learner.evaluateAlone(samples))!
    expect(perSample).to.deep.equal((await plain.evaluate({ adapter, samples, mode: 'global' })).perSample)
    expect(await plain.evaluateAlone(samples)).to.equal(undefined)
    await Promise.all([learner.dispose(), plain.dispose()])
  })

  it('goes on from its private set as if nothing had been, and another method refuses that set', async () => {
    const [learner, again] = [await copying(), await copying()]
    const adapter = learner.initialAdapter()
    for (let round = 1; round <= 3; round++) await learner.train('L', { adapter, samples, choice, round })
    expect(learner.serves).to.not.equal(undefined)
    const set = await learner.exportPrivate()
    again.importPrivate(set)
    expect(again.serves).to.equal(learner.serves)
    for (const each of [learner, again]) await each.train('L', { adapter, samples, choice, round: 4 })
    const numbers = async (each: Learner): Promise<unknown> =>
      [...(await each.exportPrivate()).reveal()].map(([name, { data }]) => [name, ...data])
    expect(await numbers(again)).to.deep.equal(await numbers(learner))
    const other = await createLearner({ model: NO_EXPERTS })
    expect(() => { other.importPrivate(set) }).to.throw(SchemaError)
    await Promise.all([learner, again, other].map(async (each) => { await each.dispose() }))
  })

  it('no schema lets a copy out', async () => {
    const learner = await copying()
    const names = [...(await learner.exportPrivate()).reveal().keys()].filter((name) => name.startsWith('own.copy.'))
    expect(names).to.have.length(4)
    for (const name of names) {
      const tensors = [{ ...learner.schema.tensors[0]!, name }]
      expect(() => createSchema({ model: 'm', baseHash: '0', tensors }), name).to.throw()
    }
    await learner.dispose()
  })
})
