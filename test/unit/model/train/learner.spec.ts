import { expect } from 'chai'
import { Adapter } from '../../../../src/adapter/adapter.ts'
import { PrivateSet } from '../../../../src/adapter/private-set.ts'
import { InputError, SchemaError, TrainerError } from '../../../../src/errors.ts'
import { weightsHash } from '../../../../src/model/sam/weights.ts'
import type { Learner } from '../../../../src/model/train/learner.ts'
import { baseHash, createLearner, disc, discs, weights } from '../learners.ts'

/** Λ as numbers, without the optimiser's state. */
async function experts (learner: Learner): Promise<number[]> {
  const set = await learner.exportPrivate()
  return [...set.reveal()].filter(([name]) => !name.includes('optimiser')).flatMap(([, { data }]) => [...data])
}

function distance (a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.hypot(...Array.from(a, (value, i) => value - b[i]!))
}

describe('learner', function () {
  this.timeout(60_000)

  it('starts as the base: all three modes give the same masks', async () => {
    const learner = await createLearner()
    const adapter = learner.initialAdapter()
    const [frozen, global, personal] = await Promise.all(
      (['frozen', 'global', 'personal'] as const).map(async (mode) => await learner.predict({ adapter, samples: discs, mode }))
    )
    expect(global).to.deep.equal(frozen)
    expect(personal).to.deep.equal(frozen)
    await learner.dispose()
  })

  it('phase G changes Γ alone, phase L changes Λ alone', async () => {
    const learner = await createLearner()
    const start = learner.initialAdapter()
    const startValues = start.values.slice()
    const startExperts = await experts(learner)
    const { adapter, loss } = await learner.train('G', { adapter: start, samples: discs, round: 3 })
    expect(loss).to.be.greaterThan(0)
    expect(start.values).to.deep.equal(startValues)
    expect(adapter.values).to.not.deep.equal(startValues)
    expect(await experts(learner)).to.deep.equal(startExperts)
    const values = adapter.values.slice()
    await learner.train('L', { adapter, samples: discs, round: 3 })
    expect(adapter.values).to.deep.equal(values)
    expect(await experts(learner)).to.not.deep.equal(startExperts)
    expect(weightsHash(weights)).to.equal(baseHash)
    await learner.dispose()
  })

  it('puts exactly Γ into the adapter and exactly Λ into the private set', async () => {
    const learner = await createLearner()
    const names = learner.schema.tensors.map(({ name }) => name)
    expect(names.filter((name) => name.startsWith('image_encoder.'))).to.have.length(16)
    expect(names.filter((name) => name.includes('lora_'))).to.have.length(16 + 28)
    expect(names).to.include('mask_decoder.iou_token.weight')
    expect(names.some((name) => name.includes('lmoe') || name.startsWith('prompt_encoder.'))).to.equal(false)
    expect(learner.initialAdapter().values.length).to.equal(learner.schema.size)
    const secret = [...(await learner.exportPrivate()).reveal().keys()]
    expect(secret.every((name) => name.includes('lmoe'))).to.equal(true)
    expect(secret.filter((name) => !name.includes('optimiser'))).to.have.length(20)
    await learner.dispose()
  })

  it('follows the decoder mode', async () => {
    for (
      const [decoder, expected] of [['frozen', 0], ['full', 120], ['lora+heads', 38], ['lora+mask-head', 14], [
        'lora+upscaling',
        10
      ]] as const
    ) {
      const learner = await createLearner({ model: { decoder } })
      expect(learner.schema.tensors.filter(({ role }) => role === 'decoder'), decoder).to.have.length(expected)
      await learner.dispose()
    }
  })

  it('loses nothing where heads that one class does not use stay out of Γ', async () => {
    const fit = async (decoder: 'lora+mask-head' | 'lora+heads'): Promise<{ loss: number, moved: Map<string, boolean> }> => {
      const learner = await createLearner({ model: { decoder }, train: { lrLora: 3e-3, lrHeads: 3e-3 } })
      const start = learner.initialAdapter()
      const before = new Map(start.tensors())
      const { adapter, loss } = await learner.train('G', { adapter: start, samples: discs, round: 1 })
      await learner.dispose()
      return { loss, moved: new Map([...adapter.tensors()].map(([name, { data }]) => [name, distance(data, before.get(name)!.data) > 0])) }
    }
    const [slim, whole] = [await fit('lora+mask-head'), await fit('lora+heads')]
    expect([...whole.moved].filter(([, moved]) => moved).map(([name]) => name)).to.deep.equal([...slim.moved.keys()])
    expect(slim.loss).to.be.closeTo(whole.loss, 1e-4)
  })

  it('global and frozen masks do not depend on Λ, personal ones do', async () => {
    const learner = await createLearner({ train: { lrMoe: 0.1 } })
    const adapter = learner.initialAdapter()
    const predict = async (mode: 'frozen' | 'global' | 'personal'): Promise<Uint8Array[]> =>
      await learner.predict({ adapter, samples: discs, mode })
    const [frozen, global, personal] = [await predict('frozen'), await predict('global'), await predict('personal')]
    await learner.train('L', { adapter, samples: discs, round: 1 })
    expect(await predict('frozen')).to.deep.equal(frozen)
    expect(await predict('global')).to.deep.equal(global)
    expect(await predict('personal')).to.not.deep.equal(personal)
    await learner.dispose()
  })

  it('repeats a round exactly after a restart from what was saved', async () => {
    const first = await createLearner()
    const adapter = first.initialAdapter()
    await first.train('L', { adapter, samples: discs, round: 1 })
    const saved = await first.exportPrivate()
    const G = await first.train('G', { adapter, samples: discs, round: 2 })
    await first.train('L', { adapter: G.adapter, samples: discs, round: 2 })

    const second = await createLearner()
    second.importPrivate(saved)
    const again = await second.train('G', { adapter, samples: discs, round: 2 })
    await second.train('L', { adapter: again.adapter, samples: discs, round: 2 })
    expect(again.adapter.digest()).to.equal(G.adapter.digest())
    expect(again.loss).to.equal(G.loss)
    expect(await experts(second)).to.deep.equal(await experts(first))

    const other = await createLearner({ siteSeed: 8 })
    other.importPrivate(saved)
    expect((await other.train('G', { adapter, samples: discs, round: 2 })).adapter.digest()).to.not.equal(G.adapter.digest())
    await Promise.all([first, second, other].map(async (each) => { await each.dispose() }))
  })

  it('swapped data give swapped experts', async () => {
    const data = [[disc(0), disc(1)], [disc(2), disc(3)]]
    const fit = async (order: readonly number[]): Promise<number[][]> => await Promise.all(order.map(async (i) => {
      const learner = await createLearner()
      await learner.train('L', { adapter: learner.initialAdapter(), samples: data[i]!, round: 1 })
      const result = await experts(learner)
      await learner.dispose()
      return result
    }))
    const [a, b] = await fit([0, 1])
    expect(await fit([1, 0])).to.deep.equal([b, a])
    expect(a).to.not.deep.equal(b)
  })

  it('takes smaller steps round by round where rates fall, in both phases', async () => {
    const learner = await createLearner({ rounds: 3, train: { schedule: 'poly', warmupSteps: 0, teacherG: 'none', augment: false } })
    const adapter = learner.initialAdapter()
    const untouched = await learner.exportPrivate()
    const change = async (round: number): Promise<[number, number]> => {
      const { adapter: moved } = await learner.train('G', { adapter, samples: [discs[0]!], round })
      learner.importPrivate(untouched)
      const before = await experts(learner)
      await learner.train('L', { adapter, samples: [discs[0]!], round })
      return [distance(adapter.values, moved.values), distance(before, await experts(learner))]
    }
    const [first, last] = [await change(1), await change(4)]
    for (const phase of [0, 1] as const) expect(last[phase] / first[phase]).to.be.closeTo(4 ** -0.9, 1e-3)
    await learner.dispose()
  })

  it('takes steps as of another round where told to, and spends no warm-up that whole rounds would be through with', async () => {
    const learner = await createLearner({ rounds: 3, train: { schedule: 'poly', warmupSteps: 4, teacherG: 'none', augment: false } })
    const adapter = learner.initialAdapter()
    const change = async (over: { round: number, asRound?: number, done?: number }): Promise<number> =>
      distance(adapter.values, (await learner.train('G', { adapter, samples: [discs[0]!], ...over })).adapter.values)
    const whole = await change({ round: 5 })
    // A round has one step here.
    expect(await change({ round: 5, done: 0 })).to.equal(whole)
    expect(await change({ round: 5, asRound: 1 }) / whole).to.be.closeTo(4 ** 0.9, 1e-3)
    expect(await change({ round: 1, done: 0 }) / await change({ round: 1, done: 9 })).to.be.closeTo(1 / 4, 1e-3)
    await learner.dispose()
  })

  it('learns four small images, and the experts add to it', async () => {
    const learner = await createLearner({ train: { epochsG: 10, epochsL: 3, lrLora: 1e-2, lrHeads: 1e-2, lrMoe: 1e-2 } })
    let adapter = learner.initialAdapter()
    const dice = async (mode: 'frozen' | 'global' | 'personal'): Promise<number> =>
      (await learner.evaluate({ adapter, samples: discs, mode })).dice
    const before = await dice('global')
    const losses: number[] = []
    for (let round = 1; round <= 2; round++) {
      const G = await learner.train('G', { adapter, samples: discs, round })
      adapter = G.adapter
      losses.push(G.loss, (await learner.train('L', { adapter, samples: discs, round })).loss)
    }
    expect(losses.at(-1)).to.be.lessThan(losses[0]!)
    expect(await dice('global')).to.be.greaterThan(before + 0.3)
    expect(await dice('personal')).to.be.greaterThan(0.7)
    expect(await dice('frozen')).to.be.closeTo(before, 1e-9)
    await learner.dispose()
  })

  it('reports every step and stops between two, leaving Λ as it was', async () => {
    const learner = await createLearner({ train: { epochsL: 2 } })
    const adapter = learner.initialAdapter()
    const seen: string[] = []
    await learner.train('G', {
      adapter,
      samples: [...discs, disc(1)],
      round: 1,
      onProgress: ({ step, steps }) => {
        seen.push(`${step}/${steps}`)
      }
    })
    expect(seen).to.deep.equal(['1/3', '2/3', '3/3'])
    const before = await experts(learner)
    const controller = new AbortController()
    const stopped = learner.train('L', {
      adapter,
      samples: discs,
      round: 1,
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === 2) controller.abort()
      }
    })
    expect(await stopped.catch((error: Error) => error.name)).to.equal('AbortError')
    expect(await experts(learner)).to.deep.equal(before)
    await learner.dispose()
  })

  it('takes the steps of a round whatever the number of images, a share of them, or as many as are enough', async () => {
    const learner = await createLearner({ train: { stepsPerRound: 20, epochsG: undefined, epochsL: undefined } })
    const args = { adapter: learner.initialAdapter(), samples: discs.slice(0, 3), round: 1 }
    let taken = 0
    const onProgress = ({ step }: { step: number }): void => { taken = step }
    const stepsOf = async (phase: 'G' | 'L', more: object): Promise<number[]> => [
      (await learner.train(phase, { ...args, ...more, onProgress })).steps,
      taken
    ]
    for (const phase of ['G', 'L'] as const) {
      expect(await stepsOf(phase, { share: 0.25 })).to.deep.equal([5, 5])
      expect(await stepsOf(phase, { share: 0.01 })).to.deep.equal([1, 1])
      expect(await stepsOf(phase, { isEnough: () => true }), 'a tenth').to.deep.equal([2, 2])
      expect(await stepsOf(phase, { share: 0.5, isEnough: () => taken >= 7 })).to.deep.equal([7, 7])
    }
    await learner.dispose()
  })

  it('says in plain words that the loss is no number any more', async () => {
    const learner = await createLearner()
    const huge = new Adapter(learner.schema, new Float32Array(learner.schema.size).fill(1e30))
    const error = await learner.train('G', { adapter: huge, samples: discs, round: 1 }).catch((thrown: unknown) => thrown)
    expect(error).to.be.instanceOf(TrainerError)
    expect((error as Error).message).to.match(/the loss became \S+ in step 1 of phase G, round 1/)
    await learner.dispose()
  })

  it('refuses a private set of another model and settings that do not fit', async () => {
    const learner = await createLearner()
    const wide = await createLearner({
      model: { moe: { blocks: [1, 3], experts: 4, topK: 2, bottleneck: 4, gate: 'token', expert: 'mlp' } }
    })
    const foreign = await wide.exportPrivate()
    expect(() => {
      learner.importPrivate(foreign)
    }).to.throw(SchemaError)
    expect(() => {
      learner.importPrivate(new PrivateSet(new Map()))
    }).to.throw(SchemaError)
    const wrong = await createLearner({ model: { moe: { blocks: [4], experts: 4, topK: 2, bottleneck: 4, gate: 'token', expert: 'mlp' } } })
      .catch((thrown: unknown) => thrown)
    expect(wrong).to.be.instanceOf(InputError)
    await Promise.all([learner, wide].map(async (each) => { await each.dispose() }))
  })

  it('trains without experts, as plain federated LoRA', async () => {
    const learner = await createLearner({
      model: { moe: { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' } }
    })
    const adapter = learner.initialAdapter()
    expect((await learner.train('L', { adapter, samples: discs, round: 1 })).loss).to.equal(0)
    const [global, personal] = [
      await learner.predict({ adapter, samples: discs, mode: 'global' }),
      await learner.predict({ adapter, samples: discs, mode: 'personal' })
    ]
    expect(personal).to.deep.equal(global)
    learner.importPrivate(await learner.exportPrivate())
    expect((await learner.train('G', { adapter, samples: discs, round: 5 })).loss).to.be.greaterThan(0)
    await learner.dispose()
  })
})
