import { methodOf, settingsOf, type Job } from '../../src/experiment/jobs.ts'
import type { RunSettings } from '../../src/experiment/run-method.ts'
import { viewsOf } from '../../src/model/components/index.ts'
import { samConfig } from '../../src/model/sam/build-sam.ts'
import { DEFAULT_TAIL, type MethodSettings } from '../../src/settings/method.ts'
import { pretrainingOf } from '../../src/settings/pretraining.ts'
import { dualTeacherOf, type TrainSettings } from '../../src/settings/training.ts'

/** A forward pass without a backward one. */
const FORWARD = 1 / 3

/**
 * What an image of a step of each phase costs a site, on average over the rounds: 1 is a forward and a backward pass through the whole
 * model. A method of copies is counted as if every site tuned one.
 */
export function passesOf (job: Job): number {
  if (methodOf(job).mixing === 'nothing') return 0
  const { model, train, rounds, method = {} } = settingsOf(job, samConfig('sam-tiny'))
  const { lambdaG, lambdaL, teacherG, teacherL } = train
  // With consistency each image of a step is in its batch as often as it has views, for the teachers too.
  const views = viewsOf(train)
  if (method.personal === 'copy') return views * 2 * (2 + (method.tail ?? DEFAULT_TAIL))
  const experts = model.moe.blocks.length > 0
  const inG = lambdaG > 0 && (teacherG === 'global' || (teacherG === 'personal' && experts))
  const inL = experts && lambdaL > 0 && teacherL !== 'none'
  const apart = looksOf(train) + alignedOf(train) + taughtOf(train)
  const phases = experts ? 1 : 2
  const steps = views * (phases * apart + 2 * (1 + slopesOf(train, method)) + FORWARD * (Number(inG) + Number(inL)))
  const labelled = steps + guessedOf(method, phases)
  return withLabelFree(labelled, phases, { rounds, method })
}

/** In label-free rounds two looks are trained on; the moving mean sees both, and so does the common start where there is an alignment. */
function withLabelFree (labelled: number, phases: number, { rounds, method }: Pick<RunSettings, 'rounds' | 'method'>): number {
  const asked = pretrainingOf(method)
  if (asked == null) return labelled
  const part = asked.rounds / rounds
  return (1 - part) * labelled + part * phases * 2 * (1 + FORWARD * (1 + Number(asked.align > 0)))
}

/** Pseudo-masks look at each image from all sides with two models, once a round; a mean teacher at half of the images of each step. */
function guessedOf ({ pseudo, teacher }: MethodSettings, phases: number): number {
  const made = pseudo == null || pseudo.weight === 0 ? 0 : 2 * pseudo.views
  const taught = teacher == null || teacher.weight === 0 ? 0 : phases / 2
  return FORWARD * (made + taught)
}

/** One pass for another look, and one to learn where to try it. */
function looksOf ({ episode }: TrainSettings): number {
  return episode == null || episode.weight === 0 ? 0 : 1 + Number(episode.innerRate > 0)
}

/** Every teacher sees half of the images. */
function taughtOf (train: TrainSettings): number {
  return (dualTeacherOf(train)?.teachers.length ?? 0) * FORWARD / 2
}

/** The encoder runs once more, for the model to align with, if that is another one. */
function alignedOf ({ align }: TrainSettings): number {
  return align == null || align.weight === 0 || align.target === 'moments' ? 0 : FORWARD
}

/** Steps in which a site learns what to take of the average, for each step of training. */
function slopesOf ({ stepsPerRound }: TrainSettings, { elementMix }: MethodSettings): number {
  return elementMix == null || stepsPerRound == null ? 0 : elementMix.steps / stepsPerRound
}
