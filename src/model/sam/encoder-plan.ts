import type { SamConfig } from './build-sam.ts'
import type { EncoderPlan } from './plan.ts'
import { tinyVitPlan } from './tiny-vit-plan.ts'
import { vitPlan } from './vit-plan.ts'

/** The plan of a model's encoder. */
export function encoderPlan (config: SamConfig): EncoderPlan {
  switch (config.encoder) {
    case 'vit': return vitPlan(config)
    case 'tiny-vit': return tinyVitPlan(config)
  }
}
