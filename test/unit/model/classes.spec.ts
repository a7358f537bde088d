import { expect } from 'chai'
import { labelMapOf, toClassTargets, UNKNOWN, type Scored } from '../../../src/dataset/index.ts'
import { balanced } from '../../../src/model/classes/balance.ts'
import { withPasses, passesOf, mapsOf } from '../../../src/model/classes/passes.ts'
import { labelFitsOf } from '../../../src/model/classes/label-fits.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import { config, createLearner, disc, discs, weights } from './learners.ts'
import { testEngine } from './golden.ts'

const two = labelMapOf([{ name: 'disc', values: [1, 2] }, { name: 'core', value: 2 }])

/** A disc with a core of half its radius. */
function cored (id: number): Scored {
  const plain = disc(id)
  const { width, mask } = plain
  const [x0, y0, radius] = [40 + 12 * id, 40 + 6 * id, (18 + 3 * id) / 2]
  const codes = mask.map((code, i) => code === 1 && (i % width - x0) ** 2 + (Math.floor(i / width) - y0) ** 2 < radius ** 2 ? 2 : code)
  return { ...plain, mask: codes, truth: codes }
}
const samples = [0, 1, 2, 3].map(cored)

describe('several classes', function () {
  this.timeout(120_000)

  it('takes map 0 for one class, maps 1 to 3 for up to three, and a pass for each three more', () => {
    expect(mapsOf({ classes: 1 }, 0)).to.deep.equal([0])
    expect(mapsOf({ classes: 2 }, 0)).to.deep.equal([1, 2])
    expect([1, 3, 4, 16].map((classes) => passesOf({ classes }))).to.deep.equal([1, 1, 2, 6])
    expect(mapsOf({ classes: 7 }, 2)).to.deep.equal([1])
    const added = Object.keys(withPasses(weights, config, { classes: 5 })).filter((name) => !(name in weights))
    expect(added).to.include('mask_decoder.passes.1.output_hypernetworks_mlps.2.layers.0.weight')
    expect(added.some((name) => name.includes('mlps.3'))).to.equal(false)
  })

  it('takes a pass for each class that stands apart, with one of maps 1 to 3 and all that is trained of the decoder', async () => {
    const division = { classes: 5, apart: true }
    expect(passesOf(division)).to.equal(5)
    expect(Array.from({ length: 5 }, (_, pass) => mapsOf(division, pass))).to.deep.equal([[1], [2], [3], [1], [2]])
    expect([passesOf({ classes: 1, apart: true }), mapsOf({ classes: 1, apart: true }, 0)]).to.deep.equal([1, [0]])
    const learner = await createLearner({ labels: two, model: { classes: 'apart' } })
    const own = learner.schema.tensors.map(({ name }) => name).filter((name) => name.startsWith('mask_decoder.'))
    const [first, second] = [own.filter((name) => !name.includes('passes')), own.filter((name) => name.includes('passes.1.'))]
    const plain = (name: string): string => name.replace('passes.1.', '').replace(/mlps\.\d/, 'mlps')
    expect(second.map(plain).sort()).to.deep.equal(first.map(plain).sort())
  })

  it('begins as the frozen model with any number of classes, bit for bit', async () => {
    for (const names of [['a'], ['a', 'b'], ['a', 'b', 'c', 'd', 'e']]) {
      const labels = labelMapOf(names.map((name, i) => ({ name, value: i + 1 })))
      const found: unknown[] = []
      for (const classes of ['together', 'apart'] as const) {
        const learner = await createLearner({ labels, model: { classes } })
        for (const mode of ['frozen', 'global', 'personal'] as const) {
          found.push((await learner.evaluate({ adapter: learner.initialAdapter(), samples, mode })).perSample)
        }
        await learner.dispose()
      }
      for (const each of found) expect(each).to.deep.equal(found[0])
    }
  })

  for (const classes of ['together', 'apart'] as const) {
    it(`trains nested classes in both phases, ${classes}`, async () => {
      const learner = await createLearner({ labels: two, model: { classes }, train: { lrHeads: 5e-3, lrLora: 5e-3 } })
      let adapter = learner.initialAdapter()
      const losses: number[] = []
      for (let round = 1; round <= 8; round++) {
        const { adapter: next, loss } = await learner.train('G', { adapter, samples, round })
        adapter = next
        losses.push(loss)
        await learner.train('L', { adapter, samples, round })
      }
      expect(losses.at(-1)).to.be.lessThan(losses[0]! * 0.85)
      const { dice, classes: own, perSample } = await learner.evaluate({ adapter, samples, mode: 'personal' })
      expect(Object.keys(own!)).to.deep.equal(['disc', 'core'])
      expect(dice).to.be.closeTo((own!['disc']! + own!['core']!) / 2, 1e-12)
      expect(perSample[0]!.classes).to.have.length(2)
      await learner.dispose()
    })
  }

  it('learns nothing from a class that a site lacks, and nothing from unknown places', async () => {
    const learner = await createLearner({ labels: two, train: { weightDecay: 0 } })
    const adapter = learner.initialAdapter()
    const trained = async (given: readonly Scored[]): Promise<Float32Array> =>
      (await learner.train('G', { adapter, samples: given, round: 1 })).adapter.values
    const lacks = samples.map((sample) => ({ ...sample, lacks: [1] }))
    const coreless = lacks.map((sample) => ({ ...sample, mask: sample.mask.map((code) => code === 2 ? 1 : code) }))
    expect(await trained(lacks)).to.deep.equal(await trained(coreless))
    expect(await trained(lacks)).not.to.deep.equal(await trained(samples))
    const nothing = samples.map((sample) => ({ ...sample, mask: sample.mask.map(() => UNKNOWN) }))
    expect(await trained(nothing)).to.deep.equal(adapter.values)
    await learner.dispose()
  })

  it('learns from images without foreground where nothing is, and they do not drive what is shown to nothing', async () => {
    const learner = await createLearner({ train: { emptyShare: 0.5, lrHeads: 2e-2, lrLora: 2e-2 } })
    const empty = discs.slice(2).map((sample) => ({ ...sample, image: sample.image.map(() => 90), mask: sample.mask.map(() => 0) }))
    const given = [...discs.slice(0, 2), ...empty]
    let adapter = learner.initialAdapter()
    const falsePixels = async (): Promise<number> =>
      (await learner.segment({ adapter, samples: empty, mode: 'global' })).flatMap((mask) => [...mask]).filter((code) => code > 0).length
    const dice = async (): Promise<number> => (await learner.evaluate({ adapter, samples: discs.slice(0, 2), mode: 'global' })).dice
    const before = [await falsePixels(), await dice()] as const
    for (let round = 1; round <= 48; round++) adapter = (await learner.train('G', { adapter, samples: given, round })).adapter
    expect(await falsePixels()).to.be.below(before[0])
    expect(await dice()).to.be.above(before[1])
    await learner.dispose()
  })

  it('scores over what is known and annotated', async () => {
    const learner = await createLearner({ labels: two })
    const adapter = learner.initialAdapter()
    const [whole] = (await learner.evaluate({ adapter, samples: samples.slice(0, 1), mode: 'frozen' })).perSample
    const lacking = samples.slice(0, 1).map((sample) => ({ ...sample, lacks: [1] }))
    const { dice, classes, perSample } = await learner.evaluate({ adapter, samples: lacking, mode: 'frozen' })
    expect(perSample[0]!.classes).to.deep.equal([whole!.classes![0], null])
    expect(dice).to.equal(whole!.classes![0]!.dice)
    expect(classes).to.have.all.keys('disc')
    await learner.dispose()
  })

  it('predicts codes, for a picture under a prompt, too', async () => {
    const learner = await createLearner({ labels: two })
    const [mask] = await learner.predict({ adapter: learner.initialAdapter(), samples: samples.slice(0, 1), mode: 'frozen' })
    expect([...new Set(mask)].every((code) => code <= 2)).to.equal(true)
    await learner.dispose()
  })

  it('leaves the pass of a class as it was while only others are trained, where each has its own', async () => {
    const train = { weightDecay: 0, teacherG: 'none', lrHeads: 5e-3, lrLora: 5e-3 } as const
    const learner = await createLearner({ labels: two, model: { classes: 'apart' }, train })
    const begun = learner.initialAdapter()
    const lacking = samples.map((sample) => ({ ...sample, lacks: [1] }))
    const { adapter } = await learner.train('G', { adapter: begun, samples: lacking, round: 1 })
    const before = new Map([...begun.tensors()].map(([name, { data }]) => [name, data]))
    const changed = [...adapter.tensors()].filter(([name, { data }]) => data.some((value, i) => value !== before.get(name)![i]))
    const names = changed.map(([name]) => name)
    expect(names.filter((name) => name.includes('passes.1.'))).to.deep.equal([])
    expect(names.some((name) => name.startsWith('mask_decoder.output_upscaling'))).to.equal(true)
    await learner.dispose()
  })

  it('is another model than that of one class', async () => {
    const ids = await Promise.all([undefined, two].map(async (labels) => {
      const learner: Learner = await createLearner({ labels, engine: await testEngine() })
      const { model } = learner.schema
      await learner.dispose()
      return model
    }))
    expect(ids[0]).not.to.equal(ids[1])
  })
})

describe('targets of classes', () => {
  it('are shares of what is known', () => {
    const codes = Uint8Array.from([1, UNKNOWN, 2, 0, 1, 2, UNKNOWN, UNKNOWN, 0, 0, 0, 0, 0, 0, 0, 0])
    const sample = {
      ...discs[0]!, side: 4, height: 4, width: 4, fittedHeight: 4, fittedWidth: 4, mask: codes, image: new Uint8Array(16)
    }
    const { targets, known } = toClassTargets([sample], 2, two)
    expect([...known]).to.deep.equal([0.75, 0.5, 1, 1, 0.75, 0.5, 1, 1])
    expect([...targets].map((share) => Math.round(share * 1000) / 1000)).to.deep.equal([1, 0.5, 0, 0, 0.333, 0.5, 0, 0])
  })
})

describe('how masks agree with predictions', () => {
  const exchanged = (mask: Uint8Array): Uint8Array => mask.map((code) => code === 1 ? 2 : code === 2 ? 1 : code)

  it('is told by the values that agree far better exchanged', () => {
    const labels = labelMapOf([{ name: 'disc', value: 3 }, { name: 'core', value: 7 }])
    const pairs = samples.map(({ truth }) => ({ predicted: truth, truth: exchanged(truth) }))
    expect(labelFitsOf(pairs, labels)).to.deep.equal({ asIs: [], exchanged: [[3, 7]] })
    expect(labelFitsOf(pairs, two), 'one class within another').to.deep.equal({ asIs: [], exchanged: [[1, 2]] })
    const unsure = pairs.map(({ predicted, truth }) => ({ predicted, truth: truth.map((code, i) => i % 2 === 0 ? UNKNOWN : code) }))
    expect(labelFitsOf(unsure, labels).exchanged).to.deep.equal([[3, 7]])
  })

  it('is told by those that agree as they are, and says nothing where nothing is predicted, or there is but one class', () => {
    const right = samples.map(({ truth }) => ({ predicted: truth, truth }))
    expect(labelFitsOf(right, two)).to.deep.equal({ asIs: [[1, 2]], exchanged: [] })
    const neither = { asIs: [], exchanged: [] }
    expect(labelFitsOf(samples.map(({ truth }) => ({ predicted: truth.map(() => 0), truth })), two)).to.deep.equal(neither)
    // A poor model that takes all for one class.
    const poor = samples.map(({ truth }) => ({ predicted: truth.map((code) => code > 0 ? 1 : 0), truth }))
    expect(labelFitsOf(poor, two)).to.deep.equal(neither)
    expect(labelFitsOf(right, labelMapOf([{ name: 'disc', values: [1] }]))).to.deep.equal(neither)
  })
})

describe('images of a rare class', () => {
  const plain = (sample: Scored): Scored => ({ ...sample, mask: sample.mask.map((code) => code === 2 ? 1 : code) })
  const rare = samples.map((sample, i) => i === 0 ? sample : plain(sample))

  it('come as often as those of the commonest, after all others, and then teach nothing of that', () => {
    const again = { ...rare[0]!, lacks: [0] }
    expect(balanced(rare, two)).to.deep.equal([...rare, again, again, again])
    expect(balanced(samples, two)).to.deep.equal(samples)
    expect(balanced(rare.map((sample) => ({ ...sample, lacks: [1] })), two)).to.have.length(4)
    expect(balanced(rare, undefined)).to.equal(rare)
    expect(balanced(rare, labelMapOf([{ name: 'disc', values: [1, 2] }]))).to.equal(rare)
  })

  it('come in turn, each eight times at most', () => {
    const many = [...samples.slice(0, 2), ...Array.from({ length: 98 }, () => plain(samples[2]!))]
    const again = balanced(many, two).slice(many.length)
    expect(again).to.have.length(2 * 7)
    expect(again.map(({ id }) => id)).to.deep.equal(Array.from({ length: 14 }, (_, i) => samples[i % 2]!.id))
  })

  it('count for every rare class that they show', () => {
    const three = labelMapOf([{ name: 'disc', values: [1, 2, 3] }, { name: 'core', values: [2, 3] }, { name: 'hole', value: 3 }])
    const holed = { ...samples[0]!, mask: samples[0]!.mask.map((code) => code === 2 ? 3 : code) }
    const sets = [holed, samples[1]!, plain(samples[2]!), plain(samples[3]!)]
    // Three times for the hole, which the core gains by, so that it is shown often enough.
    expect(balanced(sets, three).slice(4)).to.deep.equal(Array.from({ length: 3 }, () => ({ ...holed, lacks: [0] })))
  })

  it('keep what their site does not annotate', () => {
    const three = labelMapOf([{ name: 'disc', values: [1, 2] }, { name: 'core', value: 2 }, { name: 'other', value: 9 }])
    expect(balanced(rare.map((sample) => ({ ...sample, lacks: [2] })), three).at(-1)?.lacks).to.have.members([0, 2])
  })
})
