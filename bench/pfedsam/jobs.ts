import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { defaultModelSettings, defaultTrainSettings } from '../../src/model/settings.ts'
import type { SamConfig } from '../../src/model/sam/build-sam.ts'
import { defaultAveraging } from '../../src/node/federation/defaults.ts'
import { METHODS, type Method } from './methods.ts'
import type { RunSettings } from './run-method.ts'
import type { DataName } from './sites.ts'

/** One run: a method on one data set with one seed. */
export interface Job {
  readonly data: DataName
  readonly method: string
  readonly seed: number
  readonly rounds: number
  /** Patients per phantom site. */
  readonly train: number
  readonly validation: number
  readonly scoreEvery: number
  /** A site that takes no part: what the others learned is tried on it. */
  readonly leftOut?: number
}

/** To be raised when phantoms or the way of running change, so that old results are not taken for new ones. */
const FORMAT = 1
const COOL_DOWN_SECONDS = 30

/** @throws Error for a name that no method has: the command line has checked it. */
export function methodOf ({ method }: Pick<Job, 'method'>): Method {
  const found = METHODS.find(({ name }) => name === method)
  if (found == null) throw new Error(`there is no method ${method}`)
  return found
}

/** The federation's default settings with the method's own changes. */
export function settingsOf (job: Job, config: SamConfig): RunSettings {
  const { rounds, seed, scoreEvery } = job
  const { model, train, averaging } = methodOf(job)
  const defaults = { model: defaultModelSettings(config), train: defaultTrainSettings(config), averaging: defaultAveraging({ coolDownSeconds: COOL_DOWN_SECONDS }) }
  return {
    rounds,
    seed,
    scoreEvery,
    model: model?.(defaults.model) ?? defaults.model,
    train: train?.(defaults.train) ?? defaults.train,
    averaging: averaging?.(defaults.averaging) ?? defaults.averaging
  }
}

/** SHA-256 (64 hex digits) of all that decides a run's numbers: two runs of one hash have the same result. */
export function jobHash (job: Job, { config, hash }: { readonly config: SamConfig, readonly hash: string }): string {
  const { model, train, averaging } = settingsOf(job, config)
  const { mixing, mode, keeps } = methodOf(job)
  const text = canonicalize({ format: FORMAT, job, mixing, mode, keeps: keeps?.source ?? '', model, train, averaging, base: hash, side: config.imageSize })
  return createHash('sha256').update(text!).digest('hex')
}
