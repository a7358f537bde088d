import type { Engine } from '../../compute/index.ts'
import { countReasons, type Dataset } from '../../dataset/index.ts'
import type { Learner } from '../../model/train/learner.ts'
import type { TrainerReady, TrainerSetup } from '../../rounds/trainer-messages.ts'

interface Opened extends Pick<TrainerReady, 'images' | 'validationImages' | 'warnings' | 'facts'> {
  readonly setup: TrainerSetup
  readonly engine: Engine
  readonly learner: Learner
  /** Last round of the private checkpoint, 0 where there is none. */
  readonly saved: number
  readonly problems: Dataset['problems']
}

/** What the daemon is told of a site that is loaded. A round that the adapter never reached does not count. */
export function readyOf ({ setup, engine, learner, saved, problems, ...rest }: Opened): TrainerReady {
  return {
    ...rest,
    model: learner.schema.model,
    baseHash: learner.schema.baseHash,
    tensors: learner.schema.tensors,
    initial: learner.initialAdapter().values,
    skipped: countReasons(problems),
    engine: engine.name,
    provider: engine.provider,
    engineReason: engine.reason,
    privateRound: Math.min(saved, (setup.finished ?? Infinity) + 1)
  }
}
