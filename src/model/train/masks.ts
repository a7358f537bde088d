import type { CompiledStep, HostRecord } from '../../compute/index.ts'
import type { Fitted, LabelMap } from '../../dataset/index.ts'
import { restoreCodes } from '../classes/restore.ts'
import { paddedChunks } from './batches.ts'
import { breathe } from './host-records.ts'

const EVALUATION_BATCH = 8

interface MasksInit {
  readonly forward: CompiledStep
  /** Side of the maps that the step makes, and how many of an image. */
  readonly side: number
  readonly classes: number
  readonly labels: LabelMap | undefined
  readonly samples: readonly Fitted[]
  /** All that a batch is fed as. */
  readonly feeds: (chunk: readonly Fitted[]) => Promise<HostRecord>
}

/** Masks at the original size, row-major, of the codes of the federation's labels. */
export async function masksOf ({ forward, side, classes, labels, samples, feeds }: MasksInit): Promise<Uint8Array[]> {
  const masks: Uint8Array[] = []
  const size = classes * side * side
  for (const { chunk, count } of paddedChunks(samples, EVALUATION_BATCH)) {
    const { logits } = await forward.run(await feeds(chunk))
    const maps = logits!.data as Float32Array
    for (let i = 0; i < count; i++) masks.push(restoreCodes(maps.subarray(i * size, (i + 1) * size), side, chunk[i]!, labels))
    await breathe()
  }
  return masks
}
