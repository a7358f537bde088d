import type { Engine } from '../compute/index.ts'
import { labelMapOf } from '../dataset/index.ts'
import type { Mode } from '../settings/model.ts'
import type { BaseModel } from '../site-model/base/base-model.ts'
import { pseudoLabelled } from '../site-model/trainer/pseudo-labels.ts'
import type { SiteData } from './data-source.ts'
import { asTrained, createSharedLearner, planOf, siteSeed, type RunSettings, type TrainedSites } from './run-method.ts'
import { meanScore, type Score } from './score.ts'
import { TrainedSite } from './site-model.ts'

/** What the others learned, on a site that took no part. */
export interface Unseen {
  readonly site: string
  /** Their shared adapter as it is. */
  readonly zeroShot: Score
  /** With experts fitted to what that adapter is sure of in its training images, without their labels; where the method has experts. */
  readonly adapted?: Score
  /** After some rounds of that site alone, with labels. */
  readonly personalised: Score
}

interface Newcomer { readonly engine: Engine, readonly base: BaseModel, readonly settings: RunSettings, readonly mode: Mode }

const PERSONAL_ROUNDS = 2

export async function tryUnseen (newcomer: Newcomer, { models }: TrainedSites, loaded: SiteData): Promise<Unseen> {
  const site = asTrained(loaded, newcomer.settings)
  const { adapter } = models[0]!
  const seed = siteSeed(newcomer.settings.seed, models.length)
  const settings = { ...newcomer.settings, rounds: PERSONAL_ROUNDS }
  const learner = createSharedLearner({ ...newcomer, settings })
  try {
    const model = await TrainedSite.create({ learner, adapter, samples: site.train, choice: site.choice, siteSeed: seed })
    const zeroShot = meanScore((await model.evaluate(site.validation, 'global')).perSample)
    const { before, after } = planOf(settings)
    for (let round = 1; round <= settings.rounds; round++) {
      for (const phase of [...before, ...after]) await model.train(phase, round)
    }
    const personalised = meanScore((await model.evaluate(site.validation, newcomer.mode)).perSample)
    const adapted = await adapt(newcomer, { adapter, site, seed })
    return { site: site.name, zeroShot, ...(adapted == null ? {} : { adapted }), personalised }
  } finally {
    await learner.dispose()
  }
}

/** As a site without labels does it: phase L as often as the others had it, the adapter untouched. */
async function adapt (
  { settings, mode, ...newcomer }: Newcomer,
  { adapter, site, seed }: { readonly adapter: TrainedSite['adapter'], readonly site: SiteData, readonly seed: number }
): Promise<Score | undefined> {
  const { model: { moe }, labels, train: { prompt } } = settings
  if (moe.blocks.length === 0 || prompt === 'box') return undefined
  const learner = createSharedLearner({ ...newcomer, settings })
  try {
    const samples = await pseudoLabelled(learner, adapter, site.train, labels == null ? undefined : labelMapOf(labels))
    if (samples.length === 0) return undefined
    const reader = await TrainedSite.create({ learner, adapter, samples, siteSeed: seed })
    for (let round = 1; round <= settings.rounds; round++) await reader.train('L', round)
    return meanScore((await reader.evaluate(site.validation, mode)).perSample)
  } finally {
    await learner.dispose()
  }
}
