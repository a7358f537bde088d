import { expect } from 'chai'
import { loadSites } from '../../../bench/pfedsam/sites.ts'
import { createEngine, type Engine } from '../../../src/compute/index.ts'
import type { SiteData } from '../../../src/experiment/data-source.ts'
import { methodOf, settingsOf } from '../../../src/experiment/jobs.ts'
import { openBase } from '../../../src/experiment/run-job.ts'
import { createSharedLearner, runMethod } from '../../../src/experiment/run-method.ts'
import type { Serves } from '../../../src/settings/method.ts'

const LEAST = 0.005
const SIZES = { seed: 5, rounds: 6, train: 10, validation: 8, scoreEvery: 6 } as const
const SETTINGS = { training: { stepsPerRound: 10 } }

interface Outcome { readonly served: number, readonly alone: number, readonly global: number, readonly serves: Serves | undefined }
type Part<T> = readonly T[]

/** Two halves of a site. */
function halves ({ name, train, validation, choice }: SiteData): SiteData[] {
  const half = <T>(all: Part<T>, side: number): T[] => all.filter((_, i) => i % 2 === side)
  return [0, 1].map((side) => ({
    name: `${name}-${side}`,
    train: half(train, side),
    validation: half(validation, side),
    choice: { train: half(choice.train, side), held: half(choice.held, side) }
  }))
}

/** The same images, of which all that is not outlined is. */
function inverted (site: SiteData): SiteData {
  const not = (mask: Uint8Array): Uint8Array => mask.map((label) => label > 0 ? 0 : 1)
  const train = site.train.map((each) => ({ ...each, mask: not(each.mask) }))
  const invert = (samples: SiteData['validation']): SiteData['validation'] =>
    samples.map((each) => ({ ...each, mask: not(each.mask), truth: not(each.truth) }))
  const held = invert(site.choice.held)
  return { ...site, train, validation: invert(site.validation), choice: { train: train.slice(held.length), held } }
}

describe('joining never costs a site what it would have alone', function () {
  this.timeout(600_000)
  let engine: Engine

  before(async () => { engine = await createEngine({ name: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' }) })

  after(async () => { await engine.dispose() })

  async function outcomes (sites: readonly SiteData[]): Promise<Outcome[]> {
    const base = await openBase()
    const job = { data: 'prostate-phantom', method: 'adaptive', ...SIZES, settings: SETTINGS }
    const settings = settingsOf(job, base.config)
    const learner = createSharedLearner({ engine, base, settings })
    try {
      const { models } = await runMethod({ learner, method: methodOf(job), sites, settings })
      const found: Outcome[] = []
      for (const [i, model] of models.entries()) {
        const { validation } = sites[i]!
        const { aloneDice, serves } = await model.evaluateAlone(validation)
        const [served, global] = [await model.evaluate(validation, 'personal'), await model.evaluate(validation, 'global')]
        found.push({ served: served.dice, alone: aloneDice!, global: global.dice, serves })
      }
      return found
    } finally {
      await learner.dispose()
    }
  }

  async function phantoms (train: number = SIZES.train): Promise<SiteData[]> {
    const { imageSize } = (await openBase()).config
    return await loadSites({ name: 'prostate-phantom', ...SIZES, train }, imageSize)
  }

  function expectNoLoss (all: readonly Outcome[]): void {
    const text = all.map((each) => JSON.stringify(each)).join('\n')
    for (const { served, alone } of all) expect(served, text).to.be.at.least(alone - LEAST)
    // Whoever has learnt nothing loses nothing, either.
    for (const { alone } of all) expect(alone, text).to.be.greaterThan(0.3)
  }

  it('a site with itself, its images split in two', async () => {
    const [site] = await phantoms(2 * SIZES.train)
    expectNoLoss(await outcomes(halves(site!)))
  })

  it('two alike sites', async () => {
    const found = await outcomes((await phantoms()).slice(0, 2))
    expectNoLoss(found)
  })

  it('two that outline what the other leaves out, whom the shared adapter cannot serve both', async () => {
    const [site] = await phantoms()
    const found = await outcomes([site!, inverted(site!)])
    expectNoLoss(found)
    expect(Math.min(...found.map(({ global, alone }) => global - alone)), JSON.stringify(found)).to.be.lessThan(-0.1)
    expect(Math.max(...found.map(({ served, global }) => served - global)), JSON.stringify(found)).to.be.greaterThan(0.1)
  })
})
