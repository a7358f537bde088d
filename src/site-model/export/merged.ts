import { writePartsSafely } from '../../home/files.ts'
import type { WhichRound } from '../../home/round-adapter.ts'
import { pthParts } from '../base/pth/write-pth.ts'
import { openSiteModel } from '../site-model.ts'
import { writeMonai } from './monai.ts'
import { writeOnnx } from './onnx.ts'
import { writeTransformers } from './transformers.ts'
import type { Taken } from './taken.ts'

/** `pth` writes a file, the others a folder. */
const WRITERS = {
  pth: async ({ sam }: Taken, out: string) => { await writePartsSafely(out, pthParts(new Map(Object.entries(sam.merged())))) },
  transformers: writeTransformers,
  onnx: writeOnnx,
  monai: writeMonai
}

/**
 * Writes the base with the global adapter of a round merged into it. @throws InputError where the format has no place for what the
 * federation trains
 */
export async function exportMerged (
  { home, round, format, out }: { home: string, round: WhichRound, format: keyof typeof WRITERS, out: string }
): Promise<{ round: number, imageSize: number }> {
  const site = await openSiteModel(home, {}, round)
  try {
    const { learner, adapter, federation: { document: { name, model } }, labels } = site
    const sam = learner.portable(adapter)
    const pixels = model.pixels ?? 'imagenet'
    await WRITERS[format]({ sam, federation: name, pixels, labels, round: site.round, digest: adapter.digest() }, out)
    return { round: site.round, imageSize: learner.inputSize }
  } finally {
    await site.close()
  }
}
