import { seededRandom, shuffled } from '../../common/random.ts'
import type { CompiledStep, HostRecord, Step } from '../../compute/index.ts'
import type { Fitted } from '../../dataset/index.ts'
import { answersMoved } from '../objectives/pseudo-labels.ts'
import { finish, frozenTokens, input, merged, promptsOf, type StepContext } from '../steps.ts'
import { paddedChunks } from './batches.ts'
import { breathe } from './host-records.ts'
import { FACT_BATCH, MOST_IMAGES } from './lack.ts'
import type { PhaseArgs } from './learner-args.ts'

/** Apart from the streams of batches. */
const STREAM = 0x6a70

/** How far the answers with `@gamma` are from those with `@before`, `gap` [B], in nats. */
export function gapStep (context: StepContext): Step {
  return (t) => {
    const common = context.adaptsEmbedding === true ? undefined : frozenTokens(t, context)
    const [before, after] = ['before', 'gamma'].map((name) => {
      const weights = merged(t, context, input(t, name))
      return finish(common ?? frozenTokens(weights, context), context.firstAdapted, weights, context, promptsOf(t)).masks
    })
    return { gap: answersMoved(before!, after!) }
  }
}

export interface GapInit {
  readonly step: CompiledStep
  readonly args: Pick<PhaseArgs, 'samples' | 'round'>
  readonly siteSeed: number
  /** Images and prompts of a batch. */
  readonly shown: (chunk: readonly Fitted[]) => Promise<HostRecord>
  /** The global parameters as the phase found them, and as it left them. */
  readonly before: HostRecord[string]
  readonly after: HostRecord[string]
}

/**
 * What a site may announce of its training: how far it moved the answers for its images, labelled or not; the mean over up to 64 of them,
 * drawn anew each round, at most 1 (docs/spec/mixing.md#generalisation).
 */
export async function gapOf ({ step, args: { samples, round }, siteSeed, shown, before, after }: GapInit): Promise<Float32Array> {
  const chosen = shuffled(samples, seededRandom(siteSeed, STREAM + round)).slice(0, MOST_IMAGES)
  let sum = 0
  for (const { chunk, count } of paddedChunks(chosen, FACT_BATCH)) {
    const { gap } = await step.run({ ...await shown(chunk), '@before': before, '@gamma': after })
    for (let i = 0; i < count; i++) sum += gap!.data[i]!
    await breathe()
  }
  return Float32Array.of(Math.min(1, Math.max(0, sum / chosen.length)))
}
