import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { overridden, type Overrides } from '../federation/settings.ts'
import type { SamConfig } from '../model/sam/build-sam.ts'
import { defaultAveraging } from '../settings/averaging.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import { METHODS, type Method } from '../settings/methods/baselines.ts'
import { defaultModelSettings } from '../settings/model.ts'
import { defaultTrainSettings } from '../settings/training.ts'
import type { RunSettings } from './run-method.ts'

/** One run: a method on one data set with one seed. */
export interface Job {
  readonly data: string
  readonly method: string
  readonly seed: number
  readonly rounds: number
  /** Patients per phantom site. */
  readonly train: number
  readonly validation: number
  readonly scoreEvery: number
  /** A site that takes no part: what the others learned is tried on it. */
  readonly leftOut?: number
  /** What differs from the defaults, before the method's own changes. */
  readonly settings?: Overrides
}

/**
 * To be raised when phantoms or the way of running change, so that old results are not taken for new ones; a test tells when a phantom
 * did.
 */
const FORMAT = 2
const COOL_DOWN_SECONDS = 30
/** The base has a hash of its own in jobHash. */
const NO_HASH = '0'.repeat(64)

/** @throws Error for a name that no method has: the command line has checked it. */
export function methodOf ({ method }: Pick<Job, 'method'>): Method {
  const found = METHODS.find(({ name }) => name === method)
  if (found == null) throw new Error(`there is no method ${method}`)
  return found
}

/** The federation's default settings with the job's and then the method's own changes. @throws InputError naming a setting that is wrong */
export function settingsOf (job: Job, config: SamConfig): RunSettings {
  const { rounds, seed, scoreEvery } = job
  const { model, train, averaging } = methodOf(job)
  const { name, imageSize } = config
  const defaults: FederationSettings = {
    model: { name, imageSize, baseHash: NO_HASH, ...defaultModelSettings(config) },
    training: { ...defaultTrainSettings(config), rounds, seed },
    averaging: defaultAveraging({ coolDownSeconds: COOL_DOWN_SECONDS })
  }
  const chosen = overridden(defaults, job.settings ?? {}, 'the file of --settings')
  return {
    rounds,
    seed,
    scoreEvery,
    model: model?.(chosen.model) ?? chosen.model,
    train: train?.(chosen.training) ?? chosen.training,
    averaging: averaging?.(chosen.averaging) ?? chosen.averaging
  }
}

/** SHA-256 (64 hex digits) of all that decides a run's numbers: two runs of one hash have the same result. */
export function jobHash (job: Job, { config, hash }: { readonly config: SamConfig, readonly hash: string }): string {
  const { model, train, averaging } = settingsOf(job, config)
  const { mixing, mode, keeps, alone } = methodOf(job)
  const text = canonicalize({
    format: FORMAT,
    job,
    mixing,
    mode,
    keeps: keeps?.source ?? '',
    alone: alone ?? 0,
    model,
    train,
    averaging,
    base: hash,
    side: config.imageSize
  })
  return createHash('sha256').update(text!).digest('hex')
}
