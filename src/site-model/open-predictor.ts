import type { Predictor, PredictorInit } from './predict/predictor.ts'

export type { PredictorInit, PredictRequest, Prediction, Predictor, Segmented, SegmentRequest } from './predict/predictor.ts'
export type { Prompt } from './predict/prompt.ts'

/**
 * Opens a site's trained model for any number of prompts; the tensor library is loaded by the first call, not by the import.
 * @example
 * ```ts
 * import { createFederation, openPredictor } from 'consilium'
 *
 * await createFederation({ home: 'home', name: 'Two towns', rounds: 2 })
 * const predictor = await openPredictor({ home: 'home' })
 * const { maps, slices } = await predictor.predict({ image: 'slice.png', out: 'mask.png', prompt: { boxes: [[8, 8, 40, 40]] } })
 * await predictor.close()
 * console.log(maps.length, slices) // 1 1
 * ```
 */
export async function openPredictor (init: PredictorInit): Promise<Predictor> {
  const { Predictor: Opened } = await import('./predict/predictor.ts')
  return await Opened.open(init)
}
