import { writeSafetensors, type NamedTensor } from '../../src/adapter/safetensors.ts'
import type { PretrainSettings } from './settings.ts'
import type { Scores } from './training/scores.ts'

/** Bytes of the weight file: float16, with where it comes from and how good it is beside the tensors. */
export function assetBytes (
  weights: ReadonlyMap<string, NamedTensor>,
  { model, ...recipe }: PretrainSettings,
  step: number,
  scores?: Scores
): Uint8Array {
  const metadata = {
    model,
    origin: 'trained on procedural shapes by npm run pretrain',
    settings: JSON.stringify(recipe),
    steps: String(step),
    ...(scores == null ? {} : { heldOutIoU: JSON.stringify(scores) })
  }
  return writeSafetensors(weights, metadata, 'F16')
}
