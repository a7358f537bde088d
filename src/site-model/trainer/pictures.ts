import { drawShot, isForeground } from '../../dataset/index.ts'
import type { Pictures } from '../../home/pictures.ts'
import type { SampleScore } from '../../model/classes/evaluation.ts'
import type { Mode } from '../../settings/model.ts'
import type { ScoredSample } from '../split.ts'

interface DrawnModel {
  /** Of each of the samples, at its original size. */
  readonly mask: Uint8Array
  readonly score: SampleScore
}

/**
 * Indices of the images to be shown, by the area of their foreground alone and never by any result: of five patients and more one each,
 * its median one, from small to large.
 */
export function shownSamples (samples: readonly Pick<ScoredSample, 'subject' | 'truth'>[], count: number): number[] {
  const sized = samples.map(({ subject, truth }, index) => ({ index, subject, area: areaOf(truth) })).filter(({ area }) => area > 0)
  const byArea = sized.toSorted((a, b) => a.area - b.area || a.index - b.index)
  const medians = [...Map.groupBy(byArea, ({ subject }) => subject).values()].map((own) => own[own.length >> 1]!)
  const pool = medians.length < count ? byArea : medians.toSorted((a, b) => a.area - b.area || a.index - b.index)
  if (pool.length <= count) return pool.map(({ index }) => index)
  return Array.from({ length: count }, (_, i) => pool[Math.floor((i + 0.5) * pool.length / count)]!.index)
}

/** One image under the outlines of the three models. `hasClasses`: labels are codes of classes, each outlined by itself. */
export async function drawSample (
  { fittedWidth, fittedHeight, channels, image, width, height, truth }: ScoredSample,
  models: Readonly<Record<Mode, DrawnModel>>,
  hasClasses: boolean
): Promise<Pictures['shots'][number]> {
  const shown = (mask: Uint8Array): Uint8Array => hasClasses ? mask : mask.map((label) => isForeground(label) ? 1 : 0)
  const { frozen, global, personal } = models
  const results = { frozen: shown(frozen.mask), global: shown(global.mask), personal: shown(personal.mask) }
  const shot = await drawShot({
    image: { width: fittedWidth, height: fittedHeight, channels, data: image },
    masks: { width, height, truth: shown(truth), results }
  })
  return { ...shot, scores: { frozen: scoreOf(frozen), global: scoreOf(global), personal: scoreOf(personal) } }
}

function scoreOf ({ score: { dice, hd95 } }: DrawnModel): Pictures['shots'][number]['scores'][Mode] {
  return { dice: Number.isFinite(dice) ? dice : 0, hd95: Number.isFinite(hd95) ? hd95 : null }
}

function areaOf (mask: Uint8Array): number {
  return mask.reduce((sum, label) => sum + (isForeground(label) ? 1 : 0), 0)
}
