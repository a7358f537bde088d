import type { Random } from '../../common/random.ts'
import type { CompiledStep, HostRecord } from '../../compute/index.ts'
import type { Fitted } from '../../dataset/index.ts'
import { TrainerError } from '../../errors.ts'
import type { TrainPhase } from '../../settings/method.ts'
import type { Batch } from './batches.ts'
import { breathe, floats, vector } from './host-records.ts'

/** A flat parameter vector with its moments, on the way through a phase. */
export interface Trained {
  readonly value: Float32Array
  readonly first: Float32Array
  readonly second: Float32Array
}

/** How many steps a phase takes: `most`, or fewer once it is told that it is enough, but not fewer than `least`. */
interface PhaseLength {
  readonly most: number
  readonly least: number
  readonly isEnough?: (() => boolean) | undefined
}

export interface PhaseRun {
  readonly phase: TrainPhase
  readonly step: CompiledStep
  readonly batches: Iterable<Batch>
  readonly length: PhaseLength
  /** From 1. */
  readonly round: number
  readonly start: Trained
  /** Fed with every step: rates, and what components say of the phase. */
  readonly fixed: HostRecord
  /** Fed with one batch, in step `step`, from 1. */
  readonly feeds: (batch: readonly Fitted[], random: Random, step: number) => Promise<HostRecord>
  /** Fed with optimiser step `step`, from 1: the parameters under their name, and the scalars. */
  readonly inputs: (step: number, value: Float32Array) => HostRecord
  /** Sees what comes of each step. */
  readonly onStep?: ((outputs: HostRecord) => void) | undefined
  readonly onProgress?: ((progress: { readonly step: number, readonly steps: number }) => void) | undefined
  /** Checked before every step. */
  readonly signal?: AbortSignal | undefined
}

/** Of so many steps; at least one. */
export function shareOf (steps: number, share: number): number {
  return Math.max(1, Math.ceil(share * steps))
}

/**
 * All steps of one phase; resolves with the parameters, the mean loss and the number of steps. @throws TrainerError when the loss is
 * not finite.
 */
export async function runPhase (run: PhaseRun): Promise<{ readonly trained: Trained, readonly loss: number, readonly steps: number }> {
  const { phase, round, length: { most, least, isEnough } } = run
  let state = run.start
  let total = 0
  let step = 0
  for (const { samples, random } of run.batches) {
    run.signal?.throwIfAborted()
    step++
    const outputs = await run.step.run({
      ...run.fixed,
      '@first': vector(state.first),
      '@second': vector(state.second),
      ...await run.feeds(samples, random, step),
      ...run.inputs(step, state.value)
    })
    total += finite(outputs['loss']!.data[0]!, phase, round, step)
    state = { value: floats(outputs, 'value'), first: floats(outputs, 'first'), second: floats(outputs, 'second') }
    run.onStep?.(outputs)
    run.onProgress?.({ step, steps: most })
    await breathe()
    if (step >= most || (step >= least && isEnough?.() === true)) break
  }
  return { trained: state, loss: total / step, steps: step }
}

export function finite (loss: number, phase: TrainPhase, round: number, step: number): number {
  if (!Number.isFinite(loss)) {
    throw new TrainerError(
      `the loss became ${loss} in step ${step} of phase ${phase}, round ${round}: lower the learning rates of the federation or ` +
        'check the images'
    )
  }
  return loss
}
