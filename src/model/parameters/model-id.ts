import { createHash } from 'node:crypto'
import type { ModelSettings } from '../../settings/model.ts'
import type { SamConfig } from '../sam/build-sam.ts'

/**
 * Names the model in the schema: architecture, image side, and a digest of where LoRA and experts sit, so that adapters of other
 * settings never meet. Settings that came later count where they are not the default.
 */
export function modelId (
  { name, imageSize }: SamConfig,
  { lora, decoder, encoder = 'lora', moe, pixels = 'imagenet' }: ModelSettings,
  seed: number,
  keeps: readonly string[] = [],
  classes = 1
): string {
  const { aggregation = 'factors' } = lora
  const settings = [
    lora.blocks,
    lora.rank,
    lora.alpha,
    decoder,
    moe.blocks,
    moe.experts,
    moe.topK,
    moe.bottleneck,
    moe.gate,
    moe.expert,
    ...(encoder === 'lora' ? [] : [encoder]),
    ...(aggregation === 'factors' ? [] : [aggregation]),
    ...(aggregation === 'ffa' ? [seed] : []),
    ...(moe.noise == null || moe.noise === 0 ? [] : [moe.noise]),
    ...(pixels === 'imagenet' ? [] : [pixels]),
    ...(keeps.length === 0 ? [] : [keeps]),
    ...(classes === 1 ? [] : [{ classes }])
  ]
  return `${name}/${imageSize}/${createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16)}`
}
