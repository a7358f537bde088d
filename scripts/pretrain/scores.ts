import { lowResSide, type SamConfig } from '../../src/model/sam/build-sam.ts'
import { restoreMask } from '../../src/model/sam/postprocess.ts'
import { fitted, PROMPTS, toTaskBatch, type Prompt } from './batch.ts'
import { drawSample, type Sample } from './sample.ts'
import { batchInputs } from './step.ts'
import type { CompiledStep, HostRecord } from '../../src/compute/index.ts'

/** Mean overlap (IoU, 0..1) of map 0 with the truth at full resolution, for each kind of prompt. */
export type Scores = Readonly<Record<Prompt, number>>

// Held-out images come from their own streams, far from any training seed that one would type.
const HELD_OUT = 0x5eed0000

/** Images that no training run with another seed sees. */
export function heldOut (count: number, { imageSize }: SamConfig): Sample[] {
  return Array.from({ length: count }, (_, i) => drawSample(HELD_OUT, i, imageSize))
}

/** Intersection over union of two 0/1 masks; two empty ones agree. */
function overlap (a: Uint8Array, b: Uint8Array): number {
  let [both, either] = [0, 0]
  for (let p = 0; p < a.length; p++) {
    both += a[p]! & b[p]!
    either += a[p]! | b[p]!
  }
  return either === 0 ? 1 : both / either
}

/** Scores weights on held-out samples, `batch` of them at a time (their number is a multiple of it). */
export async function score (predict: CompiledStep, weights: HostRecord, samples: readonly Sample[], config: SamConfig, batch: number): Promise<Scores> {
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
        sums[prompt] += overlap(mask, truth.mask) / samples.length
      })
    })
  }
  return sums
}
