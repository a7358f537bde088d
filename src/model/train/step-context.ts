import { DISCRIMINATOR } from '../blocks/discriminator.ts'
import type { Layout } from '../parameters/layout.ts'
import { firstAdaptedBlock } from '../parameters/shared-set.ts'
import { relationCount } from '../parameters/relations.ts'
import type { StepContext } from '../steps.ts'
import type { LearnerInit } from './learner-args.ts'

/** What all steps of a learner share, for one class. */
export function contextOf (
  { config, model, train }: LearnerInit,
  { adapter, experts, relations }: Pick<StepContext, 'adapter' | 'experts' | 'relations'>
): StepContext {
  const { lora, moe, encoder = 'lora' } = model
  return {
    config,
    options: { loraScale: lora.alpha / lora.rank, topK: moe.topK, gate: moe.gate },
    adapter,
    experts,
    firstExpert: Math.min(...moe.blocks),
    firstAdapted: firstAdaptedBlock(config, model),
    adaptsEmbedding: encoder === 'full',
    clipNorm: train.clipNorm,
    apart: relations == null ? discriminatorSize(adapter) : relationCount(relations),
    relations
  }
}

function discriminatorSize ({ entries }: Layout): number {
  return entries.reduce((sum, { name, size }) => sum + (name.startsWith(DISCRIMINATOR) ? size : 0), 0)
}
