import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { overridden, type Overrides } from '../federation/settings.ts'
import type { MethodSettings } from '../settings/method.ts'
import type { SamConfig } from '../model/sam/build-sam.ts'
import { defaultAveraging } from '../settings/averaging.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import { presetOf } from '../settings/methods/index.ts'
import { defaultModelSettings } from '../settings/model.ts'
import { labelFreeRounds, withinRounds } from '../settings/methods/label-free.ts'
import { defaultTrainSettings, type TrainSettings } from '../settings/training.ts'
import type { Labelling } from './annotator.ts'
import type { DataFolder } from './data-source.ts'
import type { LabelNoise } from './label-noise.ts'
import { METHODS, type Method } from './methods.ts'
import type { RunSettings } from './run-method.ts'

/** One run: a method on one data set with one seed. */
export interface Job {
  readonly data: string
  /** Where the data are those of a folder. */
  readonly folder?: DataFolder
  readonly method: string
  readonly seed: number
  readonly rounds: number
  /** Patients per phantom site. */
  readonly train: number
  readonly validation: number
  readonly scoreEvery: number
  /** A site that takes no part: what the others learned is tried on it. */
  readonly leftOut?: number
  /** Every site's model is scored on every site's images, too. */
  readonly cross?: true
  /** What of the training images has labels; all of them masks if not given. */
  readonly labelling?: Labelling
  /** Which of their masks are wrong on purpose; none if not given. */
  readonly noise?: LabelNoise
  /** What differs from the defaults, before the method's own changes. */
  readonly settings?: Overrides
  /** By how much its learning rates are those of the settings; 1 unless given. */
  readonly rate?: number
}

/**
 * To be raised when phantoms or the way of running change, so that old results are not taken for new ones; a test tells when a phantom
 * did.
 */
const FORMAT = 3
const COOL_DOWN_SECONDS = 30
/** The same for what only copies have. */
const COPY_RULE = 3
/** And for what only publications have. */
const PUBLICATION_RULE = 2
/** And for what only images without labels have. */
const UNLABELLED_RULE = 2
/** And for what only relations have. */
const RELATION_RULE = 2
/** And for what only the structure of images has. */
const STRUCTURE_RULE = 2
/** The base has a hash of its own in jobHash. */
const NO_HASH = '0'.repeat(64)

/** @throws Error for a name that no method has: the command line has checked it. */
export function methodOf ({ method }: Pick<Job, 'method'>): Method {
  const found = METHODS.find(({ name }) => name === method)
  if (found == null) throw new Error(`there is no method ${method}`)
  return found
}

/**
 * The federation's default settings with the job's and then the method's own changes; a method without experts trains the steps of
 * phase L in phase G, so that every method takes as many. @throws InputError naming a setting that is wrong
 */
export function settingsOf (job: Job, config: SamConfig): RunSettings {
  const { seed, scoreEvery, rate = 1 } = job
  const { preset, settings = {}, without = 0 } = methodOf(job)
  const rounds = without === 0 ? job.rounds : job.rounds - labelFreeRounds(without, job.rounds)
  const { name, imageSize } = config
  const defaults: FederationSettings = {
    model: { name, imageSize, baseHash: NO_HASH, ...defaultModelSettings(config) },
    training: { ...defaultTrainSettings(config), rounds, seed },
    averaging: defaultAveraging({ coolDownSeconds: COOL_DOWN_SECONDS })
  }
  const asked = overridden(defaults, job.settings ?? {}, 'the file of --settings')
  const { model, training, averaging, method, labels, privacy } = [withinRounds(presetOf(preset).settings, rounds), settings]
    .reduce<FederationSettings>((under, over) => overridden(under, over, `the method ${job.method}`), asked)
  const length = model.moe.blocks.length > 0 ? lengthOf(asked.training) : bothPhases(asked.training)
  return { rounds, seed, scoreEvery, model, train: atRate({ ...training, ...length }, rate), averaging, method, labels, privacy }
}

function atRate (train: TrainSettings, rate: number): TrainSettings {
  return { ...train, lrLora: train.lrLora * rate, lrHeads: train.lrHeads * rate, lrMoe: train.lrMoe * rate }
}

type Length = Pick<FederationSettings['training'], 'stepsPerRound' | 'epochsG' | 'epochsL'>

function lengthOf ({ stepsPerRound, epochsG, epochsL }: Length): Length {
  return { stepsPerRound, epochsG, epochsL }
}

/** Phase G takes what phase L would. */
function bothPhases ({ stepsPerRound, epochsG = 1, epochsL = 1 }: Length): Length {
  return stepsPerRound == null
    ? { stepsPerRound, epochsG: epochsG + epochsL, epochsL: 0 }
    : { stepsPerRound: 2 * stepsPerRound, epochsG: undefined, epochsL: undefined }
}

/**
 * SHA-256 (64 hex digits) of all that decides a run's numbers, wherever its data lie: two runs of one hash have the same result, but for
 * noise that privacy takes.
 */
export function jobHash (job: Job, { config, hash }: { readonly config: SamConfig, readonly hash: string }): string {
  const { model, train, averaging, method, labels, privacy } = settingsOf(job, config)
  const { mixing, mode, alone = 0, without } = methodOf(job)
  const keeps = method?.keeps ?? []
  const decided = { mixing, mode, keeps, alone, model, train, averaging, base: hash, side: config.imageSize }
  const { folder, ...rest } = job
  const { personal, tail } = method ?? {}
  const own = personal == null ? {} : { personal, tail, copies: COPY_RULE }
  const files = folder == null ? {} : { digest: folder.digest, sites: folder.sites, labels }
  const promise = privacy == null ? {} : { privacy }
  const shared = method?.sharing == null ? {} : { sharing: method.sharing, publications: PUBLICATION_RULE }
  const asked = { ...own, ...files, ...promise, ...shared, ...ofLabels(job, train), ...askedBy(method, without) }
  const text = canonicalize({ format: FORMAT, job: rest, ...decided, ...asked })
  return createHash('sha256').update(text!).digest('hex')
}

/** Rules for images without whole masks. */
function ofLabels ({ labelling }: Job, { structure }: TrainSettings): object {
  return {
    ...(labelling?.startsWith('few:') === true ? { unlabelled: UNLABELLED_RULE } : {}),
    ...(structure == null ? {} : { structure: STRUCTURE_RULE })
  }
}

/** Parts of a method that came later, each only where it is, so that runs without it stay the same ones. */
function askedBy (method: MethodSettings | undefined, without: number | undefined): object {
  const { robust, generalisation, units, relations, clusters, siteContrast, elementMix, alternate } = method ?? {}
  const { pretrain, pseudo, teacher, uncertaintyAware } = method ?? {}
  const rule = relations == null ? undefined : RELATION_RULE
  const before = { robust, generalisation, units, relations, clusters, siteContrast, elementMix, alternate, pretrain, rule, without }
  const asked = { ...before, pseudo, teacher, uncertaintyAware }
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value != null))
}
