import type { HostRecord } from '../../compute/index.ts'
import { dualTeacherOf, type TrainSettings } from '../../settings/training.ts'
import { floats, scalar, vector } from './host-records.ts'
import type { LearnerInit, PhaseArgs } from './learner-args.ts'
import { MovingMean } from './moving-mean.ts'
import { isLabelled } from './paired-batches.ts'

type DualTeacher = NonNullable<TrainSettings['dualTeacher']>

interface TeachersInit {
  readonly settings: DualTeacher
  /** All global parameters as the phase begins, flat. */
  readonly gamma: Float32Array
  /** Nats. */
  readonly threshold: number
  /** Nobody has said how sure one must be: nothing can be learnt. */
  readonly isMute: boolean
  /** The threshold is this site's own, and learnt. */
  readonly learns: boolean
  /** Part of all steps that are over before step `step`, from 1, 0 to 1. */
  readonly over: (step: number) => number
}

/**
 * Who teaches what is not known in one phase G, from step to step (docs/spec/teachers.md#dual-teacher). Of it the threshold alone outlives
 * the phase.
 */
export class Teachers {
  readonly #init: TeachersInit
  readonly #mean: MovingMean
  #threshold: number
  #step = 1

  constructor (init: TeachersInit) {
    this.#init = init
    this.#mean = new MovingMean(init.gamma, init.settings.ema)
    this.#threshold = init.threshold
  }

  get isMute (): boolean {
    return this.#init.isMute
  }

  /** The site's own threshold in nats, where it has one. */
  get learnt (): number | undefined {
    return this.#init.learns ? this.#threshold : undefined
  }

  /** Fed with step `step`, from 1, before which the parameters are `now`; asked again for the same step it says the same. */
  feeds (step: number, now: Float32Array): HostRecord {
    const { settings: { teachers }, gamma } = this.#init
    const mean = this.#mean.before(step, now)
    this.#step = step
    return {
      '@threshold': scalar(this.#threshold),
      ...(teachers.includes('round-start') ? { '@roundStart': vector(gamma) } : {}),
      ...(teachers.includes('ema') ? { '@ema': vector(mean) } : {})
    }
  }

  /** After a step, from how unsure it was of labelled images. */
  learn (outputs: HostRecord): void {
    const { settings: { quantileStart, quantileEnd, thresholdEma }, learns, over } = this.#init
    if (!learns || outputs['entropy'] == null) return
    const part = quantileStart + (quantileEnd - quantileStart) * over(this.#step)
    // As it is kept between phases, so that a restart changes nothing.
    this.#threshold = Math.fround(thresholdEma * this.#threshold + (1 - thresholdEma) * quantile(floats(outputs, 'entropy'), part))
  }
}

interface Asked {
  readonly init: Pick<LearnerInit, 'train' | 'rounds'>
  readonly args: PhaseArgs
  readonly gamma: Float32Array
  /** The site's own threshold of the phase before; none before the first. */
  readonly own: number | undefined
  /** Steps of a whole round. */
  readonly of: number
}

/** Undefined where the method has none; mute at a site without labels as long as no other site says how sure one must be. */
export function teachersOf ({ init: { train, rounds = Infinity }, args, gamma, own, of }: Asked): Teachers | undefined {
  const settings = dualTeacherOf(train)
  if (settings == null) return undefined
  const { samples, round, done = (round - 1) * of, threshold: told } = args
  const learns = settings.threshold == null && samples.some(isLabelled)
  const known = settings.threshold ?? (learns ? own ?? 0 : told)
  const over = (step: number): number => Math.min(1, (done + step - 1) / (rounds * of))
  return new Teachers({ settings, gamma, threshold: known ?? 0, isMute: known == null, learns, over })
}

/** Of numbers that may be in any order, linear between two of them. */
export function quantile (values: Float32Array, part: number): number {
  const sorted = values.toSorted()
  const place = part * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0]
  return low + (high - low) * (place - Math.floor(place))
}
