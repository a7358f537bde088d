import type { CompiledStep, HostRecord } from '../../../src/compute/index.ts'
import { lowResSide, type SamConfig } from '../../../src/model/sam/build-sam.ts'
import { restoreMask } from '../../../src/model/sam/postprocess.ts'
import { iouScore } from '../../../src/model/scores/overlap.ts'
import { fitted, PROMPTS, toTaskBatch, type PromptKind } from '../batches/batch.ts'
import { drawSample, type Sample } from '../scenes/sample.ts'
import { batchInputs } from './step.ts'

/** Mean agreement (0..1) of map 0 with the truth at full resolution, for each kind of prompt. */
export type Scores = Readonly<Record<PromptKind, number>>

// Held-out images come from their own streams, far from any training seed that one would type.
const HELD_OUT = 0x5eed0000

/** Images that no training run with another seed sees. */
export function heldOut (count: number, { imageSize }: SamConfig): Sample[] {
  return Array.from({ length: count }, (_, i) => drawSample(HELD_OUT, i, imageSize))
}

/** Scores weights on samples, `batch` of them at a time. */
export async function score (
  predict: CompiledStep,
  weights: HostRecord,
  samples: readonly Sample[],
  config: SamConfig,
  batch: number,
  measure: (mask: Uint8Array, truth: Uint8Array) => number = iouScore
): Promise<Scores> {
  const side = lowResSide(config)
  const sums = { none: 0, point: 0, box: 0 }
  for (let from = 0; from < samples.length; from += batch) {
    const part = samples.slice(from, from + batch)
    const { masks } = await predict.run({ ...weights, ...batchInputs(toTaskBatch(part, side), config) })
    PROMPTS.forEach((prompt, k) => {
      part.forEach((sample, i) => {
        const truth = fitted(sample, prompt)
        const at = (k * part.length + i) * side * side
        const mask = restoreMask((masks!.data as Float32Array).subarray(at, at + side * side), side, truth)
        sums[prompt] += measure(mask, truth.mask) / samples.length
      })
    })
  }
  return sums
}
