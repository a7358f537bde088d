import { createHash } from 'node:crypto'
import type { SamConfig } from '../sam/build-sam.ts'
import type { ModelSettings } from '../settings.ts'

/** Names the model in the schema: architecture, image side, and a digest of where LoRA and experts sit, so that adapters of other settings never meet. */
export function modelId ({ name, imageSize }: SamConfig, { lora, decoder, encoder = 'lora', moe }: ModelSettings): string {
  const settings = [lora.blocks, lora.rank, lora.alpha, decoder, moe.blocks, moe.experts, moe.topK, moe.bottleneck, moe.gate, moe.expert, ...(encoder === 'lora' ? [] : [encoder])]
  return `${name}/${imageSize}/${createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16)}`
}
