import type { Predictor, PredictorInit } from './offline/predict/predictor.ts'

export type { PredictorInit, PredictRequest, Prediction, Predictor, Segmented, SegmentRequest } from './offline/predict/predictor.ts'
export type { Prompt } from './offline/predict/prompt.ts'

/** Opens a site's trained model for any number of prompts; the tensor library is loaded by the first call, not by the import. */
export async function openPredictor (init: PredictorInit): Promise<Predictor> {
  const { Predictor: Opened } = await import('./offline/predict/predictor.ts')
  return await Opened.open(init)
}
