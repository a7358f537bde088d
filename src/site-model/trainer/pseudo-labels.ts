import type { Adapter } from '../../adapter/adapter.ts'
import type { Fitted, LabelMap } from '../../dataset/index.ts'
import { pseudoMask } from '../../model/classes/pseudo-mask.ts'
import { restoreMaps } from '../../model/classes/restore.ts'
import { EmbeddingCache } from '../../model/predict/embedding-cache.ts'
import type { Learner } from '../../model/train/learner.ts'

/** Every image is asked about once. */
const KEEPS_NONE = { memoryBytes: 0 }

/** Images with what the global model is sure of in them as their labels, those without any left out. */
export async function pseudoLabelled (
  learner: Pick<Learner, 'segmenter'>,
  adapter: Adapter,
  images: readonly Fitted[],
  labels: LabelMap | undefined
): Promise<Fitted[]> {
  const segmenter = learner.segmenter({ adapter, mode: 'global', cache: new EmbeddingCache(KEEPS_NONE) })
  try {
    const labelled: Fitted[] = []
    for (const image of images) {
      const [answer] = await segmenter.segment(image)
      const fitted = { ...image, height: image.fittedHeight, width: image.fittedWidth }
      const mask = pseudoMask(restoreMaps(answer!.logits, segmenter.lowRes, fitted), labels)
      if (mask != null) labelled.push({ ...image, mask })
    }
    return labelled
  } finally {
    await segmenter.dispose()
  }
}
