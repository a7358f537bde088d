import type { TrainPhase } from '../../settings/method.ts'
import { balanced } from '../classes/balance.ts'
import { batchesFrom, batchesOfEpochs, stepsPerEpoch, type Batch, type Stretch } from './batches.ts'
import type { LearnerInit, PhaseArgs } from './learner-args.ts'
import { isLabelFree } from '../../settings/pretraining.ts'
import { dualTeacherOf } from '../../settings/training.ts'
import { decline, warmup } from './optimiser.ts'
import { pairedBatches } from './paired-batches.ts'

/** What is not known of images is made up in phase G, and must not crowd out what is known. */
export function makesUp ({ train, method: { pseudo, teacher } = {} }: Pick<LearnerInit, 'train' | 'method'>): boolean {
  return dualTeacherOf(train) != null || [pseudo, teacher].some((each) => each != null && each.weight > 0)
}

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
    const paired = phase === 'G' && makesUp(this.#init) ? pairedBatches(source, stretch) : undefined
    if (paired != null) return paired
    return stepsPerRound == null ? batchesOfEpochs(source, { round, epochs: this.#epochs(phase) }) : batchesFrom(source, stretch)
  }

  /** All images, labelled or not, as they are. */
  looks (args: PhaseArgs, stretch: Stretch): Iterable<Batch> {
    const { samples, round, siteSeed = this.#init.siteSeed } = args
    const { stepsPerRound, batchSize } = this.#init.train
    const source = { samples, batchSize, siteSeed, phase: 'G', augment: false } as const
    return stepsPerRound == null ? batchesOfEpochs(source, { round, epochs: this.#epochs('G') }) : batchesFrom(source, stretch)
  }

  /**
   * Of the learning rate, by step from 1 on. The warm-up goes by what whole rounds would have had by now, where the site itself trained
   * less before: a site of short phases would spend all of them on it. Label-free rounds and those after them have each their own.
   */
  rateFactor (phase: TrainPhase, args: PhaseArgs, done: number): (step: number) => number {
    const { round, asRound = round } = args
    const { warmupSteps, schedule } = this.#init.train
    const { method, rounds = Infinity } = this.#init
    const first = method?.pretrain?.rounds ?? 0
    const [since, of] = isLabelFree(method, round) ? [0, first] : [first, rounds - first]
    const steps = this.stepsOf(phase, args)
    const before = Math.max(0, Math.max(done, (round - 1) * steps) - since * steps)
    const declined = schedule === 'poly' ? decline(Math.max(1, asRound - since), of) : 1
    return (step) => warmup(before + step, warmupSteps) * declined
  }

  #epochs (phase: TrainPhase): number {
    const { epochsG = 1, epochsL = 1 } = this.#init.train
    return phase === 'G' ? epochsG : epochsL
  }
}
