import type { Adapter } from '../../adapter/adapter.ts'
import type { HostRecord } from '../../compute/index.ts'
import type { Fitted } from '../../dataset/index.ts'
import type { Mode } from '../../settings/model.ts'
import { learnsThreshold } from '../../settings/training.ts'
import type { LearnerSteps } from './compiled-steps.ts'
import { gapOf } from './gap.ts'
import { factsOf } from './lack.ts'
import type { LearnerInit, PhaseArgs, PhaseResult } from './learner-args.ts'

type Facts = NonNullable<PhaseResult['facts']>

/** What facts are made of. */
export interface Telling {
  readonly init: LearnerInit
  readonly steps: Pick<LearnerSteps, 'softDice' | 'gap'>
  /** Images and prompts of a batch; pixels, where they are to be mixed. */
  readonly shown: (chunk: readonly Fitted[], whole: boolean) => Promise<HostRecord>
  readonly adapted: (adapter: Adapter, mode: Mode) => HostRecord
  /** The site's own model, where that is a copy. */
  readonly own: HostRecord | undefined
  /** Nats; 0 at a site that has none of its own. */
  readonly threshold: () => number
}

/** One phase G with what the site may announce of it, as its method asks; what is made up for says nothing. */
export async function withFacts (telling: Telling, args: PhaseArgs, train: () => Promise<PhaseResult>): Promise<PhaseResult> {
  if (args.asRound != null) return await train()
  const lack = await lackBefore(telling, args)
  const { init, steps } = telling
  const before = steps.gap == null ? {} : telling.adapted(args.adapter, 'global')
  const result = await train()
  const facts: Facts = {
    ...lack,
    ...result.facts,
    ...await gapAfter(telling, args, { before, after: result.adapter }),
    ...(learnsThreshold(init.train) ? { threshold: Float32Array.of(telling.threshold()) } : {})
  }
  return Object.keys(facts).length === 0 ? result : { ...result, facts }
}

async function lackBefore ({ init, steps: { softDice: step }, shown, adapted, own }: Telling, args: PhaseArgs): Promise<Facts> {
  if (step == null) return {}
  return await factsOf({
    step,
    init,
    args,
    shown: async (chunk) => await shown(chunk, init.train.mixup != null),
    shared: adapted(args.adapter, 'global'),
    own: own ?? adapted(args.adapter, 'personal')
  })
}

async function gapAfter (
  { init, steps: { gap: step }, shown, adapted }: Telling,
  args: PhaseArgs,
  { before, after }: { readonly before: HostRecord, readonly after: Adapter }
): Promise<Facts> {
  if (step == null) return {}
  if (after === args.adapter) return { gap: Float32Array.of(0) }
  const gap = await gapOf({
    step,
    args,
    siteSeed: args.siteSeed ?? init.siteSeed,
    shown: async (chunk) => await shown(chunk, false),
    before: before['@gamma']!,
    after: adapted(after, 'global')['@gamma']!
  })
  return { gap }
}
