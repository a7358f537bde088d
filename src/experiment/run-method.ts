import { Adapter } from '../adapter/adapter.ts'
import type { Engine } from '../compute/index.ts'
import { mean } from '../common/mean.ts'
import { labelMapOf } from '../dataset/index.ts'
import { InputError } from '../errors.ts'
import { massOf } from '../gossip-aggregation/mass.ts'
import { Learner } from '../model/train/learner.ts'
import { hiding } from '../privacy/clip-and-noise.ts'
import { mechanismOf, type Mechanism } from '../privacy/mechanism.ts'
import { followPlan, roundPlan, type RoundPlan } from '../rounds/plan.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import { clustersIn, type MethodSettings } from '../settings/method.ts'
import type { Mode, ModelSettings } from '../settings/model.ts'
import type { PrivacySettings } from '../settings/privacy.ts'
import type { TrainSettings } from '../settings/training.ts'
import type { BaseModel } from '../site-model/base/base-model.ts'
import { imageClusters } from '../site-model/image-clusters.ts'
import { agreementOf } from './agreement.ts'
import { Announced } from './announced.ts'
import type { SiteData } from './data-source.ts'
import { GossipMixer } from './gossip-mixer.ts'
import type { Method } from './methods.ts'
import { NoMixer, ServerMixer, type Mixer } from './mixers.ts'
import { partsServed } from './parts.ts'
import { pseudoQuality, qualityInWords, type PseudoQuality } from './pseudo-quality.ts'
import { ShownBytes, shownByOthers, shownOfImages } from './publications.ts'
import { TrainedSite } from './site-model.ts'

/** What decides the result of a run beside data and mixing. */
export interface RunSettings {
  readonly rounds: number
  readonly seed: number
  readonly model: ModelSettings
  readonly train: TrainSettings
  readonly averaging: FederationSettings['averaging']
  readonly method?: MethodSettings | undefined
  readonly labels?: FederationSettings['labels']
  readonly privacy?: PrivacySettings | undefined
  /** Rounds between two scores on the way. */
  readonly scoreEvery: number
}

export interface TrainedSites {
  /** What each site serves; where all images were pooled, one model for all. They take turns: wait for one before asking the next. */
  readonly models: readonly TrainedSite[]
  /** Mean Dice of every site after some rounds; the first is before training. */
  readonly curve: readonly { readonly round: number, readonly dice: readonly number[] }[]
  readonly bytesSent: readonly number[]
  /** Numbers of the adapter that travel. */
  readonly size: number
  /** Of the training alone, without scores. */
  readonly trainSeconds: number
  /** Of pseudo-masks before training and when sites are scored, where the method makes them. */
  readonly guesses?: readonly Guesses[]
  /** How alike sites' updates were, the mean over rounds (agreement.ts); undefined for one model, and without training. */
  readonly agreement?: number
  /** How much of each site's core is in what each serves (parts.ts), where the method learns it. */
  readonly parts?: readonly (readonly number[])[]
  /** By site, which group it was found to be of, where the method looks for groups. */
  readonly groupsFound?: readonly number[]
}

/** Of each site's pseudo-masks after so many rounds. */
interface Guesses { readonly round: number, readonly sites: readonly (PseudoQuality | undefined)[] }

export interface MethodRun {
  /** Nothing was trained on it yet. */
  readonly learner: Learner
  readonly method: Method
  readonly sites: readonly SiteData[]
  readonly settings: RunSettings
  readonly onProgress?: (doneRounds: number) => void
  /** Told a sentence for people. */
  readonly onNote?: ((text: string) => void) | undefined
  readonly signal?: AbortSignal
}

/** Trains by one method and scores on the way. */
export async function runMethod (run: MethodRun): Promise<TrainedSites> {
  const { learner, method, sites, settings: { rounds, scoreEvery } } = run
  const pooled = method.mixing === 'pooled'
  const known = sites.map((site) => asTrained(site, run.settings))
  const models = await createModels(run, pooled ? [{ train: known.flatMap(({ train }) => train) }] : known)
  const announced = new Announced(run.settings, models)
  const mixer = createMixer(run, models, announced)
  const served = sites.map((_, index) => models[pooled ? 0 : index]!)
  const score = async (round: number): Promise<TrainedSites['curve'][number]> => ({ round, dice: await diceOf(served, sites, method.mode) })
  const curve = [await score(0)]
  const guesses = [await guessesOf(run, models, 0)]
  const last = method.mixing === 'nothing' ? 0 : rounds
  const shown = new ShownBytes(models.length)
  let trainSeconds = 0
  const agreements: number[] = []
  for (let round = 1; round <= last; round++) {
    const began = performance.now()
    const isAlone = round > (1 - (method.alone ?? 0)) * last
    const now = isAlone ? new NoMixer(models.length) : mixer
    const agreement = await trainRound(run, models, { mixer: now, shown, announced, round, isLast: round === last })
    if (agreement != null) agreements.push(agreement)
    trainSeconds += (performance.now() - began) / 1_000
    if (round % scoreEvery === 0 || round === last) {
      curve.push(await score(round))
      guesses.push(await guessesOf(run, models, round))
    }
    run.onProgress?.(round)
  }
  const bytesSent = mixer.bytesSent.map((sent, site) => sent + shown.bytes[site]!)
  const found = { ...measuredOf(agreements, guesses), ...partsOf(run, models), ...groupsOf(announced) }
  return { models: served, curve, bytesSent, size: learner.schema.size, trainSeconds, ...found }
}

/** What there is of both. */
function measuredOf (agreements: readonly number[], guesses: readonly Guesses[]): Pick<TrainedSites, 'agreement' | 'guesses'> {
  return {
    ...(agreements.length === 0 ? {} : { agreement: mean(agreements) }),
    ...(guesses.some(isAny) ? { guesses } : {})
  }
}

/** And says it; nothing of pooled images, which no site has. */
async function guessesOf (
  { method, sites, settings, onNote }: MethodRun,
  models: readonly TrainedSite[],
  round: number
): Promise<Guesses> {
  const found: (PseudoQuality | undefined)[] = []
  if (method.mixing === 'pooled') return { round, sites: found }
  for (const [i, model] of models.entries()) found.push(await pseudoQuality(model, sites[i]!.hidden, round + 1, settings))
  const said = qualityInWords(found)
  if (said != null) onNote?.(`${round === 0 ? 'before training' : `after round ${round}`}, ${said}`)
  return { round, sites: found }
}

function isAny ({ sites }: Guesses): boolean {
  return sites.some((each) => each != null)
}

interface Mixing {
  readonly mixer: Mixer
  readonly shown: ShownBytes
  readonly announced: Announced
  readonly round: number
  readonly isLast: boolean
}

/** One round of all sites by the method's plan: each phase everywhere, and one mixing of all adapters. Resolves with their agreement. */
async function trainRound (
  { learner, settings, signal }: MethodRun,
  models: readonly TrainedSite[],
  { mixer, shown, announced, round, isLast }: Mixing
): Promise<number | undefined> {
  const all = models.map((model) => model.shown)
  const before = models.map(({ adapter }) => adapter.values)
  const told = models.map((_, index) => announced.told(index))
  let agreement: number | undefined
  shown.add(all)
  await followPlan(planOf(settings), {
    train: async (phase) => {
      for (const [index, model] of models.entries()) {
        await model.train(phase, round, { received: shownByOthers(all, index), ...told[index], signal })
      }
    },
    exchange: async () => {
      agreement = agreementOf(before, models.map(({ adapter }) => adapter.values))
      const mixed = await mixer.mix(round, models.map(({ adapter }) => adapter.values), announced.factors(round))
      const values = isLast ? await mixer.finish() ?? mixed : mixed
      models.forEach((model, index) => { model.take(new Adapter(learner.schema, values[index]!)) })
    }
  })
  return agreement
}

function groupsOf ({ groups }: Announced): Pick<TrainedSites, 'groupsFound'> {
  return groups == null ? {} : { groupsFound: groups }
}

function partsOf (
  { method, sites, settings: { averaging } }: MethodRun,
  models: readonly TrainedSite[]
): Pick<TrainedSites, 'parts'> {
  if (method.mixing === 'pooled') return {}
  const parts = partsServed(models, sites.map(({ name }, site) => ({ name, mass: massOf(models[site]!.samples.length, averaging) })))
  return parts == null ? {} : { parts }
}

/** As a site loads its folder: images without any label are left out where the method has no use for them. */
export function asTrained (site: SiteData, { train: { supervision = [] } }: Pick<RunSettings, 'train'>): SiteData {
  if (supervision.includes('none')) return site
  const known = (samples: SiteData['train']): SiteData['train'] => samples.filter(({ kind }) => kind !== 'none')
  const { choice } = site
  return { ...site, train: known(site.train), ...(choice == null ? {} : { choice: { ...choice, train: known(choice.train) } }) }
}

export function planOf ({ model, train, method }: Pick<RunSettings, 'model' | 'train' | 'method'>): RoundPlan {
  return roundPlan({ model, training: train, method })
}

async function createModels (
  { learner, sites: { length }, settings }: MethodRun,
  images: readonly (Pick<SiteData, 'train'> & Partial<SiteData>)[]
): Promise<TrainedSite[]> {
  const adapter = learner.initialAdapter()
  const sites = length / images.length
  const clusters = clustersIn(settings.method)
  const factsIn = async (samples: SiteData['train']): Promise<TrainedSite['facts']> =>
    clusters == null ? undefined : await imageClusters(learner, samples, { ...clusters, seed: settings.seed })
  return await Promise.all(images.map(async ({ train: samples, choice, name = '' }, index) =>
    await TrainedSite.create({
      learner,
      adapter,
      samples,
      choice,
      siteSeed: siteSeed(settings.seed, index),
      sites,
      facts: await factsIn(samples),
      shown: await shownOfImages({ ...settings, learner, peer: name, siteSeed: siteSeed(settings.seed, index) }, samples),
      ...(settings.method?.sharing?.includes('core-adapter') === true ? { showsCoreAs: name } : {})
    })))
}

/** Order and augmentation of site `index`. */
export function siteSeed (seed: number, index: number): number {
  return seed * 1_000 + index
}

/** What the run promises; undefined where that is nothing. */
export function promiseOf ({ privacy, train: { stepsPerRound }, rounds }: RunSettings): Mechanism | undefined {
  return mechanismOf({ privacy, training: { rounds, stepsPerRound } })
}

/** The learner of a run: all its sites train on it in turn. */
export function createSharedLearner (
  { engine, base, settings }: { readonly engine: Engine, readonly base: BaseModel, readonly settings: RunSettings }
): Learner {
  const { model, train, method, labels, rounds, seed } = settings
  const promise = promiseOf(settings)
  return Learner.create({
    engine,
    config: base.config,
    weights: base.weights,
    baseHash: base.hash,
    model,
    train,
    method,
    ...(labels == null ? {} : { labels: labelMapOf(labels) }),
    ...(promise?.unit === 'patient' ? { privacy: promise } : {}),
    rounds,
    seed,
    siteSeed: 0
  })
}

/** @throws InputError for a server with a promise to sites: their noise is on what lands by gossip. */
function createMixer ({ learner, method, settings }: MethodRun, models: readonly TrainedSite[], announced: Announced): Mixer {
  const { averaging, seed } = settings
  const { schema } = learner
  const promise = promiseOf(settings)
  const isHidden = promise?.unit === 'site'
  if (isHidden && method.mixing === 'server') {
    throw new InputError(`privacy.unit site is for gossip, and ${method.name} is averaged by a server: leave the one or the other out`)
  }
  if (clustersIn(settings.method) != null && method.mixing === 'server') {
    throw new InputError(`method.clusters is for gossip, and ${method.name} is averaged by a server: leave the one or the other out`)
  }
  const masses = models.map(({ samples }) => massOf(samples.length, averaging))
  const initial = models[0]!.adapter.values
  switch (method.mixing) {
    case 'server': return new ServerMixer({ schema, masses, initial })
    case 'gossip': {
      const { clusters } = announced
      return new GossipMixer({ schema, initial, masses, averaging, seed, clusters, ...(isHidden ? { hide: hiding(promise) } : {}) })
    }
    case 'nothing': case 'alone': case 'pooled': return new NoMixer(models.length)
  }
}

async function diceOf (served: readonly TrainedSite[], sites: readonly SiteData[], mode: Mode): Promise<number[]> {
  const dice: number[] = []
  for (const [index, { validation }] of sites.entries()) dice.push((await served[index]!.evaluate(validation, mode)).dice)
  return dice
}
