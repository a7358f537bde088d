import type { Layout } from '../parameters/layout.ts'
import type { StepContext } from '../steps.ts'
import type { LearnerInit } from './learner-args.ts'

/** What all steps of a learner share, for one class. */
export function contextOf ({ config, model, train }: LearnerInit, adapter: Layout, experts: Layout): StepContext {
  const { lora, moe, encoder = 'lora' } = model
  return {
    config,
    options: { loraScale: lora.alpha / lora.rank, topK: moe.topK, gate: moe.gate },
    adapter,
    experts,
    firstExpert: Math.min(...moe.blocks),
    firstAdapted: encoder === 'lora' ? Math.min(...lora.blocks, ...moe.blocks, config.depth) : 0,
    adaptsEmbedding: encoder === 'full',
    clipNorm: train.clipNorm
  }
}
