import { join } from 'node:path'
import { Adapter } from '../../adapter/adapter.ts'
import type { PrivateSet } from '../../adapter/private-set.ts'
import { messageOf } from '../../common/message-of.ts'
import { createEngine } from '../../compute/index.ts'
import type { Fitted } from '../../dataset/index.ts'
import type { Learner } from '../../model/train/learner.ts'
import type { PoolStore } from '../../model/pseudo/pool.ts'
import type { PhaseArgs } from '../../model/train/learner-args.ts'
import type { TrainerCalls, TrainerReady, TrainerSetup, TrainWork, Work } from '../../rounds/trainer-messages.ts'
import { clustersIn } from '../../settings/method.ts'
import type { PublicationKind } from '../../settings/publication-kinds.ts'
import { byPatient } from '../by-patient.ts'
import { engineOptions } from '../engine-options.ts'
import { createLearner } from '../learner.ts'
import { PrivateStore, type PrivateCheckpoint } from '../private-store.ts'
import { featureMoments } from '../feature-moments.ts'
import { toldClusters } from '../told-clusters.ts'
import { keepReading } from '../reading.ts'
import { weighted, type FittedSplit } from '../split.ts'
import { Lineage } from '../withdrawals/lineage.ts'
import { partsOf } from '../withdrawals/parts-of.ts'
import { DiskFeatures } from './disk-features.ts'
import { PoolFile } from './pool-file.ts'
import { madePublication, type Showing } from './made-publication.ts'
import { readyOf } from './ready-of.ts'
import { say } from './say.ts'
import { SiteScorer } from './site-scorer.ts'
import { slowedDown } from './slow.ts'
import { TrainingData } from './training-data.ts'

const MAX_FEATURE_BYTES = 8 * 2 ** 30

export type Progress = (progress: { step: number, steps: number }) => void

/** What the daemon may ask of a loaded site. */
export interface Session {
  readonly ready: TrainerReady
  /** Ends early, though not before the least of its steps, once `isEnough`. */
  train (work: TrainWork, isEnough?: () => boolean): Promise<TrainerCalls['train']['reply']>
  score (work: Work): Promise<TrainerCalls['score']['reply']>
  /** A site without labels shows nothing. */
  publish? (kind: PublicationKind): Promise<TrainerCalls['publish']['reply']>
}

interface SessionInit {
  readonly setup: Showing
  readonly ready: TrainerReady
  readonly learner: Learner
  readonly data: TrainingData
  readonly split: FittedSplit
  readonly lineage: Lineage
  /** Subjects of before this start. */
  readonly known: ReadonlySet<string>
  readonly weight: number
  readonly store: PrivateStore
  readonly pool: PoolStore
  readonly scorer: SiteScorer
  readonly onProgress: Progress
  readonly initial: PrivateSet
  readonly keptRound: number
}

/** One loaded site: data, model and private store. */
export class TrainerSession implements Session {
  readonly ready: TrainerReady
  readonly #setup: Showing
  readonly #learner: Learner
  readonly #data: TrainingData
  readonly #lineage: Lineage
  readonly #known: ReadonlySet<string>
  readonly #weight: number
  #split: FittedSplit
  readonly #store: PrivateStore
  readonly #pool: PoolStore
  readonly #scorer: SiteScorer
  readonly #onProgress: Progress
  /** The private parameters before any training. */
  readonly #initial: PrivateSet
  #privateRound: number
  #keptRound: number

  constructor (init: SessionInit) {
    const { setup, ready, learner, data, split, lineage, known, weight, store, pool, scorer, onProgress, initial, keptRound } = init
    this.ready = ready
    this.#setup = setup
    this.#learner = learner
    this.#data = data
    this.#split = split
    this.#lineage = lineage
    this.#known = known
    this.#weight = weight
    this.#store = store
    this.#pool = pool
    this.#scorer = scorer
    this.#onProgress = onProgress
    this.#initial = initial
    this.#privateRound = ready.privateRound
    this.#keptRound = keptRound
  }

  /** Ends early, though not before the least of its steps, once `isEnough`. */
  async train (work: TrainWork, isEnough: () => boolean = () => false): Promise<TrainerCalls['train']['reply']> {
    if (work.asRound == null) await this.#takeChanges()
    const { idOf } = this.#data
    await this.#lineage.note(work.round, partsOf(this.#split, idOf), work.round > 1 ? new Set([...this.#known].map(idOf)) : new Set())
    return work.phase === 'G' ? await this.#trainGlobal(work, isEnough) : await this.#trainExperts(work, isEnough)
  }

  /**
   * What was saved or undone in a viewer since, and who was withdrawn, counts from this phase on. Where corrections cannot be read, what
   * was there before does; without those who were withdrawn it goes on, or not at all.
   */
  async #takeChanges (): Promise<void> {
    const mustChange = await this.#data.hasWithdrawals()
    try {
      const changed = await this.#data.changed()
      if (changed == null) return
      this.#split = changed.split
      this.#scorer.take(changed.split.validation)
      if (mustChange) say(`from now on the images of ${changed.withdrawn} withdrawn subjects are left out`)
      else say(`from now on this site trains with ${changed.corrections} corrected images`)
    } catch (error) {
      if (mustChange) throw error
      say(`corrections are not taken in yet: ${messageOf(error)}`)
    }
  }

  /**
   * What the site keeps of the global parameters is saved before the adapter is told: a round that is repeated begins before both. Made
   * up for, a phase counts as none of the round's own.
   */
  async #trainGlobal (work: TrainWork, isEnough: () => boolean): Promise<TrainerCalls['train']['reply']> {
    const isOwn = work.asRound == null
    const repeats = isOwn && this.#keptRound >= work.round && await this.#goBack(work.round)
    const { adapter, loss, steps, facts: found, unused, spread } = await this.#learner.train('G', this.#args(work, isEnough))
    const facts = isOwn && this.ready.facts != null ? { ...found, ...this.ready.facts } : found
    if (this.#learner.keepsGlobal) {
      if (isOwn) this.#keptRound = work.round
      await this.#save({ round: this.#privateRound, keptRound: this.#keptRound }, repeats)
    }
    const told = Object.fromEntries(Object.entries({ facts, unused, spread }).filter(([, value]) => value != null))
    return { adapter: adapter.values, loss, steps, ...told }
  }

  /** Skips the fit when a crash came after the experts of this round were saved. */
  async #trainExperts (work: TrainWork, isEnough: () => boolean): Promise<TrainerCalls['train']['reply']> {
    if (work.round <= this.#privateRound) return { loss: NaN, steps: 0 }
    const { loss, steps } = await this.#learner.train('L', this.#args(work, isEnough))
    await this.#save({ round: work.round, keptRound: this.#keptRound })
    this.#privateRound = work.round
    return { loss, steps }
  }

  async score ({ adapter, round }: Work): Promise<TrainerCalls['score']['reply']> {
    return await this.#scorer.score(new Adapter(this.#learner.schema, adapter), round)
  }

  /** What this site may show of its images, or of its training. */
  async publish (kind: PublicationKind): Promise<TrainerCalls['publish']['reply']> {
    const [learner, { train: samples }] = [this.#learner, this.#split]
    const values = await madePublication(kind, this.#setup, {
      samples,
      core: learner.core,
      moments: async () => await featureMoments(learner, samples)
    })
    return values == null ? {} : { values }
  }

  async #save (rounds: Pick<PrivateCheckpoint, 'round' | 'keptRound'>, replaces = false): Promise<void> {
    await this.#store.save({ ...rounds, set: await this.#learner.exportPrivate() }, { replaces })
  }

  /**
   * A crash lost the adapter of this round after what the site keeps had been saved: both begin again from the checkpoint before. False
   * where there is none of an earlier round; what is kept then goes on from where it is.
   */
  async #goBack (round: number): Promise<boolean> {
    const before = await this.#store.loadPrevious()
    if (before == null && round > 1) return false
    if (before != null && (before.keptRound ?? 0) >= round) return false
    this.#learner.importPrivate(before?.set ?? this.#initial)
    return true
  }

  #args (work: TrainWork, isEnough: () => boolean): PhaseArgs {
    const { round, adapter, done, share, asRound, received, masses, siteVectors, threshold } = work
    const { train, choice } = this.#split
    return {
      done,
      share,
      isEnough,
      adapter: new Adapter(this.#learner.schema, adapter),
      samples: weighted(train, this.#weight),
      choice: { held: choice.held, train: weighted(choice.train, this.#weight) },
      round,
      received,
      masses,
      siteVectors,
      threshold,
      pool: this.#pool,
      ...(asRound == null ? {} : { asRound }),
      onProgress: ({ step, steps }) => { this.#onProgress({ step, steps }) }
    }
  }
}

/** Loads base, data and private state. @throws InputError for what the user must mend. */
export async function openTrainerSession (setup: TrainerSetup, onProgress: Progress): Promise<TrainerSession> {
  const engine = await createEngine(engineOptions(setup.compute))
  const { data, dataset, split, known, before } = await TrainingData.open(setup)
  const lineage = await Lineage.open(setup.privateStore)
  const spill = await DiskFeatures.open(join(setup.privateStore, 'features'), MAX_FEATURE_BYTES, warnOfDisk)
  const learner = await createLearner({ ...setup, engine, spill })
  const store = new PrivateStore(setup.privateStore, learner.schema.hash)
  await keepReading(setup.privateStore, dataset)
  const initial = await learner.exportPrivate()
  const saved = await store.load()
  if (saved != null) learner.importPrivate(saved.set)
  const told = await toldClusters(setup, learner, split.train)
  const warnings = [
    ...dataset.labelWarnings.map((warning) => `in the masks of this site, ${warning}`),
    ...massWarning(split.train.length, before),
    ...clusterWarning(setup, split.train),
    ...told.warnings,
    ...data.warnings,
    ...lineage.warnings,
    ...store.warnings
  ]
  const counts = { images: split.train.length, validationImages: split.validation.length }
  const loaded = { setup, engine, learner, saved: saved?.round ?? 0, problems: dataset.problems, ...counts }
  const ready = readyOf({ ...loaded, warnings, facts: told.facts })
  return new TrainerSession({
    setup,
    ready,
    learner,
    data,
    split,
    lineage,
    known,
    weight: setup.correctionWeight ?? 1,
    store,
    pool: new PoolFile(setup.privateStore, { schemaHash: learner.schema.hash, onProblem: say, isOutdated: () => data.hasWithdrawals() }),
    scorer: new SiteScorer({ learner, setup, now: Date.now }, split.validation),
    onProgress: setup.slow == null ? onProgress : slowedDown(onProgress, setup.slow),
    initial,
    keptRound: saved?.keptRound ?? 0
  })
}

/** What a site that trains on more or fewer images than before must know. */
function massWarning (images: number, before = images): string[] {
  if (images === before) return []
  return [`this site now trains on ${images} images, and on ${before} when it started before: its part in the average is ${
    images > before ? 'larger' : 'smaller'} by as much`]
}

/** What a site must know that is in no cluster. */
function clusterWarning ({ method }: Pick<TrainerSetup, 'method'>, train: readonly Fitted[]): string[] {
  const clusters = clustersIn(method)
  const patients = byPatient(train).size
  if (clusters == null || patients >= clusters.minimum) return []
  return [`this site trains on ${patients} patients, fewer than the ${clusters.minimum} that its federation asks of a cluster: what ` +
    'sites of one cluster average it trains alone']
}

function warnOfDisk (reason: string): void {
  say(`no more features of frozen blocks are kept on disk, so some are computed again: ${reason}`)
}
