import type { TrainPhase } from '../../settings/method.ts'
import { balanced } from '../classes/balance.ts'
import { batchesFrom, batchesOfEpochs, stepsPerEpoch, type Batch, type Stretch } from './batches.ts'
import type { LearnerInit, PhaseArgs } from './learner-args.ts'
import { dualTeacherOf } from '../../settings/training.ts'
import { decline, warmup } from './optimiser.ts'
import { pairedBatches } from './paired-batches.ts'

/** How long the phases of a learner are, on which batches, and how fast they learn. */
export class PhasePlan {
  readonly #init: LearnerInit

  constructor (init: LearnerInit) {
    this.#init = init
  }

  /** Of a whole round. */
  stepsOf (phase: TrainPhase, { samples, sites = 1 }: PhaseArgs): number {
    const { stepsPerRound, batchSize } = this.#init.train
    return stepsPerRound != null
      ? sites * stepsPerRound
      : this.#epochs(phase) * stepsPerEpoch(samples.length, batchSize)
  }

  batches (phase: TrainPhase, args: PhaseArgs, stretch: Stretch): Iterable<Batch> {
    const { round, siteSeed = this.#init.siteSeed } = args
    const samples = balanced(args.samples, this.#init.labels)
    const { stepsPerRound, batchSize, augment } = this.#init.train
    const source = { samples, batchSize, siteSeed, phase, augment }
    const paired = phase === 'G' && this.#makesUp ? pairedBatches(source, stretch) : undefined
    if (paired != null) return paired
    return stepsPerRound == null ? batchesOfEpochs(source, { round, epochs: this.#epochs(phase) }) : batchesFrom(source, stretch)
  }

  /**
   * Of the learning rate, by step from 1 on. The warm-up goes by what whole rounds would have had by now, where the site itself trained
   * less before: a site of short phases would spend all of them on it.
   */
  rateFactor (phase: TrainPhase, args: PhaseArgs, done: number): (step: number) => number {
    const { round, asRound = round } = args
    const { warmupSteps, schedule } = this.#init.train
    const before = Math.max(done, (round - 1) * this.stepsOf(phase, args))
    const declined = schedule === 'poly' ? decline(asRound, this.#init.rounds ?? Infinity) : 1
    return (step) => warmup(before + step, warmupSteps) * declined
  }

  /** What is not known of images is made up, and must not crowd out what is known. */
  get #makesUp (): boolean {
    const { train, method: { pseudo, teacher } = {} } = this.#init
    return dualTeacherOf(train) != null || [pseudo, teacher].some((each) => each != null && each.weight > 0)
  }

  #epochs (phase: TrainPhase): number {
    const { epochsG = 1, epochsL = 1 } = this.#init.train
    return phase === 'G' ? epochsG : epochsL
  }
}
