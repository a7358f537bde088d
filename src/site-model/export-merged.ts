import { writePartsSafely } from '../home/files.ts'
import type { WhichRound } from '../home/round-adapter.ts'
import { pthParts } from './base/pth/write-pth.ts'
import { openSiteModel } from './site-model.ts'

/**
 * Writes the base with the global adapter of a round merged into it, as a .pth. @throws InputError where SAM has no place for what the
 * federation trains
 */
export async function exportMerged (home: string, round: WhichRound, out: string): Promise<{ imageSize: number, tensors: number }> {
  const site = await openSiteModel(home, {}, round)
  try {
    const { learner, adapter } = site
    const weights = new Map(Object.entries(learner.mergedWeights(adapter)))
    await writePartsSafely(out, pthParts(weights))
    return { imageSize: learner.inputSize, tensors: weights.size }
  } finally {
    await site.close()
  }
}
