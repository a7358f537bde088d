import { mean } from '../common/mean.ts'
import { createEngine, type Engine } from '../compute/index.ts'
import type { SampleScore } from '../model/classes/evaluation.ts'
import type { Serves } from '../settings/method.ts'
import type { Mode } from '../settings/model.ts'
import { readBaseModel, type BaseModel } from '../site-model/base/base-model.ts'
import { bundledWeights } from '../site-model/base/bundled-weights.ts'
import type { DataSource, SiteData } from './data-source.ts'
import { methodOf, settingsOf, type Job } from './jobs.ts'
import { packBits } from './masks.ts'
import { createSharedLearner, planOf, runMethod, siteSeed, type RunSettings, type TrainedSites } from './run-method.ts'
import { TrainedSite } from './site-model.ts'

/** Means over a site's validation images. */
interface Score {
  readonly dice: number
  readonly iou: number
  /** Pixels, over the images where neither truth nor prediction is empty; null where there is none. */
  readonly hd95: number | null
  /** Images left out of hd95. */
  readonly missed: number
}

interface SiteScores extends Score {
  readonly name: string
  readonly images: number
  readonly bytesSent: number
  /** Of the shared adapter alone. */
  readonly globalDice: number
  /** What the site would have without the others, and what it serves; where the method has a choice. */
  readonly aloneDice?: number
  readonly serves?: Serves
  readonly perImage: readonly { readonly dice: number, readonly iou: number, readonly hd95: number | null }[]
  /** One predicted mask: of validation image `index`, bits as base64. */
  readonly example: { readonly index: number, readonly dice: number, readonly mask: string }
}

/** What a run leaves behind. */
export interface RunRecord {
  readonly job: Job
  readonly sites: readonly SiteScores[]
  readonly curve: TrainedSites['curve']
  /** Numbers of the adapter that travel. */
  readonly size: number
  readonly trainSeconds: number
  readonly seconds: number
  /** Dice of the model of site i on the images of site j, served and shared part; sites that trained alone only. */
  readonly cross?: { readonly served: readonly (readonly number[])[], readonly shared: readonly (readonly number[])[] }
  readonly unseen?: { readonly site: string, readonly zeroShot: Score, readonly personalised: Score }
}

export interface JobOptions {
  readonly source: DataSource
  readonly threads: number
  readonly onProgress?: (doneRounds: number) => void
  readonly signal?: AbortSignal
}

const MODEL = 'sam-tiny'
const PERSONAL_ROUNDS = 2

export async function openBase (): Promise<BaseModel> {
  return await readBaseModel(MODEL, await bundledWeights(MODEL))
}

/** Draws the data, trains, scores; the same job gives the same record but for its seconds. */
export async function runJob (job: Job, { threads, ...options }: JobOptions): Promise<RunRecord> {
  const began = performance.now()
  const engine = await createEngine({ name: 'onnx', provider: 'cpu', threads, memory: 'fast' })
  try {
    const record = await train(engine, job, options)
    return { ...record, seconds: (performance.now() - began) / 1_000 }
  } finally {
    await engine.dispose()
  }
}

async function train (engine: Engine, job: Job, options: Omit<JobOptions, 'threads'>): Promise<Omit<RunRecord, 'seconds'>> {
  const base = await openBase()
  const method = methodOf(job)
  const settings = settingsOf(job, base.config)
  const all = await options.source({ ...job, name: job.data, settings }, base.config.imageSize)
  const sites = all.filter((_, index) => index !== job.leftOut)
  const learner = createSharedLearner({ engine, base, settings })
  try {
    const trained = await runMethod({ learner, method, sites, settings, ...options })
    const described = await describeSites(sites, trained, method.mode)
    const cross = method.mixing === 'alone' && job.leftOut == null ? { cross: await crossScores(trained, sites, method.mode) } : {}
    const unseen = job.leftOut == null
      ? {}
      : {
          unseen: await tryUnseen(
            { engine, base, settings: { ...settings, rounds: PERSONAL_ROUNDS }, mode: method.mode },
            trained,
            all[job.leftOut]!
          )
        }
    return { job, sites: described, curve: trained.curve, size: trained.size, trainSeconds: trained.trainSeconds, ...cross, ...unseen }
  } finally {
    await learner.dispose()
  }
}

async function describeSites (sites: readonly SiteData[], { models, bytesSent }: TrainedSites, mode: Mode): Promise<SiteScores[]> {
  const records: SiteScores[] = []
  for (const [index, site] of sites.entries()) {
    records.push({ ...await describeSite(site, models[index]!, mode), bytesSent: bytesSent[index] ?? 0 })
  }
  return records
}

async function describeSite (
  { name, train: images, validation }: SiteData,
  model: TrainedSite,
  mode: Mode
): Promise<Omit<SiteScores, 'bytesSent'>> {
  const { perSample } = await model.evaluate(validation, mode)
  const globalDice = mode === 'personal' ? (await model.evaluate(validation, 'global')).dice : meanScore(perSample).dice
  const own = await model.evaluateAlone(validation)
  const chosen = medianByArea(validation)
  const [mask] = await model.predict([validation[chosen]!], mode)
  return {
    name,
    images: images.length,
    globalDice,
    ...own,
    ...meanScore(perSample),
    perImage: perSample.map(({ dice, iou, hd95 }) => ({ dice, iou, hd95: Number.isFinite(hd95) ? hd95 : null })),
    example: { index: chosen, dice: perSample[chosen]!.dice, mask: packBits(mask!) }
  }
}

async function crossScores ({ models }: TrainedSites, sites: readonly SiteData[], mode: Mode): Promise<NonNullable<RunRecord['cross']>> {
  const table = async (scored: Mode): Promise<number[][]> => {
    const rows: number[][] = []
    for (const model of models) {
      const row: number[] = []
      for (const { validation } of sites) row.push((await model.evaluate(validation, scored)).dice)
      rows.push(row)
    }
    return rows
  }
  return { served: await table(mode), shared: await table('global') }
}

interface Newcomer { readonly engine: Engine, readonly base: BaseModel, readonly settings: RunSettings, readonly mode: Mode }

/** The others' adapter on a site that took no part, as it is, and after `settings.rounds` of that site alone with experts of its own. */
async function tryUnseen (
  { engine, base, settings, mode }: Newcomer,
  { models }: TrainedSites,
  site: SiteData
): Promise<NonNullable<RunRecord['unseen']>> {
  const learner = createSharedLearner({ engine, base, settings })
  try {
    const model = await TrainedSite.create({
      learner,
      adapter: models[0]!.adapter,
      samples: site.train,
      choice: site.choice,
      siteSeed: siteSeed(settings.seed, models.length)
    })
    const zeroShot = meanScore((await model.evaluate(site.validation, 'global')).perSample)
    const { before, after } = planOf(settings)
    for (let round = 1; round <= settings.rounds; round++) {
      for (const phase of [...before, ...after]) await model.train(phase, round)
    }
    return { site: site.name, zeroShot, personalised: meanScore((await model.evaluate(site.validation, mode)).perSample) }
  } finally {
    await learner.dispose()
  }
}

function meanScore (samples: readonly SampleScore[]): Score {
  const distances = samples.map(({ hd95 }) => hd95).filter(Number.isFinite)
  return {
    dice: mean(samples.map(({ dice }) => dice)),
    iou: mean(samples.map(({ iou }) => iou)),
    hd95: distances.length === 0 ? null : mean(distances),
    missed: samples.length - distances.length
  }
}

/** The image whose organ is of median size: chosen without looking at results. */
function medianByArea (samples: SiteData['validation']): number {
  const sized = samples.map(({ truth }, index) => ({ index, area: truth.reduce((sum, label) => sum + (label > 0 ? 1 : 0), 0) }))
  return sized.sort((a, b) => a.area - b.area || a.index - b.index)[Math.floor(sized.length / 2)]!.index
}
