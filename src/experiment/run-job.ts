import { createEngine, type Engine } from '../compute/index.ts'
import type { Serves } from '../settings/method.ts'
import type { Mode } from '../settings/model.ts'
import { readBaseModel, type BaseModel } from '../site-model/base/base-model.ts'
import { bundledWeights } from '../site-model/base/bundled-weights.ts'
import { crossScores, type CrossScores } from './cross-scores.ts'
import type { DataSource, SiteData } from './data-source.ts'
import { methodOf, settingsOf, type Job } from './jobs.ts'
import { packBits } from './masks.ts'
import { createSharedLearner, runMethod, type TrainedSites } from './run-method.ts'
import { meanScore, type Score } from './score.ts'
import type { TrainedSite } from './site-model.ts'
import { tryUnseen, type Unseen } from './unseen.ts'

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
  /** How alike the sites' updates were; of runs before it was measured undefined. */
  readonly agreement?: number
  /** Where the method learns or looks for them (run-method.ts). */
  readonly parts?: TrainedSites['parts']
  readonly groupsFound?: TrainedSites['groupsFound']
  /** Of pseudo-masks, where the method makes them. */
  readonly guesses?: TrainedSites['guesses']
  readonly seconds: number
  /** Where the job asks for it, and of sites that trained alone. */
  readonly cross?: CrossScores
  readonly unseen?: Unseen
}

export interface JobOptions {
  readonly source: DataSource
  readonly threads: number
  readonly onProgress?: (doneRounds: number) => void
  readonly onNote?: (text: string) => void
  readonly signal?: AbortSignal
}

const MODEL = 'sam-tiny'

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
    const crossed = job.leftOut == null && (job.cross === true || method.mixing === 'alone')
    const cross = crossed ? { cross: await crossScores(trained.models, sites, method.mode) } : {}
    const unseen = job.leftOut == null
      ? {}
      : { unseen: await tryUnseen({ engine, base, settings, mode: method.mode }, trained, all[job.leftOut]!) }
    const { curve, size, trainSeconds, agreement, parts, groupsFound, guesses } = trained
    const found = Object.fromEntries(Object.entries({ agreement, parts, groupsFound, guesses }).filter(([, value]) => value != null))
    return { job, sites: described, curve, size, trainSeconds, ...found, ...cross, ...unseen }
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

/** The image whose organ is of median size: chosen without looking at results. */
function medianByArea (samples: SiteData['validation']): number {
  const sized = samples.map(({ truth }, index) => ({ index, area: truth.reduce((sum, label) => sum + (label > 0 ? 1 : 0), 0) }))
  return sized.sort((a, b) => a.area - b.area || a.index - b.index)[Math.floor(sized.length / 2)]!.index
}
