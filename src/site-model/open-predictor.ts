import type { Predictor, PredictorInit } from './predict/predictor.ts'

export type { PredictorInit, PredictRequest, Prediction, Predictor, Segmented, SegmentRequest } from './predict/predictor.ts'
export type { Prompt } from './predict/prompt.ts'

/** Opens a site's trained model for any number of prompts; the tensor library is loaded by the first call, not by the import. */
export async function openPredictor (init: PredictorInit): Promise<Predictor> {
  const { Predictor: Opened } = await import('./predict/predictor.ts')
  return await Opened.open(init)
}
