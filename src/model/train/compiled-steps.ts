import type { CompiledStep } from '../../compute/index.ts'
import type { TrainPhase } from '../../settings/method.ts'
import type { Term } from '../components/component.ts'
import type { Component } from '../components/index.ts'
import { supervised } from '../components/supervised.ts'
import type { Weights } from '../sam/weights.ts'
import { forwardStep, type StepContext } from '../steps.ts'
import { gapStep } from './gap.ts'
import { softDiceStep } from './lack.ts'
import type { LearnerInit } from './learner-args.ts'
import { gradientStep, phaseStep, updateStep } from './phase-step.ts'
import type { PrivateSteps } from './private-phase.ts'

/** All that a learner computes. */
export interface LearnerSteps {
  readonly forward: CompiledStep
  readonly G: CompiledStep
  readonly L: CompiledStep
  /** Where phase G is private to each patient. */
  readonly private?: PrivateSteps
  /** Where the method asks what the adapter lacks. */
  readonly softDice?: CompiledStep
  /** Where a site learns what to take of each number: the supervised loss alone. */
  readonly slope?: CompiledStep
  /** Where it asks how far training moves answers. */
  readonly gap?: CompiledStep
}

export function compiledSteps (
  { engine, method, privacy }: Pick<LearnerInit, 'engine' | 'method' | 'privacy'>,
  context: StepContext,
  weights: Weights,
  components: readonly Component[]
): LearnerSteps {
  const terms = (phase: TrainPhase): readonly Term[] => components.flatMap((component) => component.terms?.[phase] ?? [])
  const phase = (each: TrainPhase): CompiledStep => engine.compile(phaseStep(context, each, terms(each)), weights)
  const ofPatients = (): PrivateSteps =>
    ({ gradient: engine.compile(gradientStep(context, terms('G')), weights), update: engine.compile(updateStep) })
  return {
    forward: engine.compile(forwardStep(context), weights),
    G: phase('G'),
    L: phase('L'),
    ...(privacy == null ? {} : { private: ofPatients() }),
    ...(method?.robust == null ? {} : { softDice: engine.compile(softDiceStep(context), weights) }),
    ...(method?.elementMix == null ? {} : { slope: engine.compile(gradientStep(context, supervised.terms.G), weights) }),
    ...(method?.generalisation == null ? {} : { gap: engine.compile(gapStep(context), weights) })
  }
}
