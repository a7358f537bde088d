import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { writeSafetensors, type NamedTensor } from '../../src/adapter/safetensors.ts'
import type { Scores } from './scores.ts'
import type { PretrainSettings } from './settings.ts'

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

/** Writes aside and renames, so that a reader never meets half a file. */
export async function writeAside (path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFileAtomic(path, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}
