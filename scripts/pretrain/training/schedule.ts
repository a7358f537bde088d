import { warmup } from '../../../src/model/train/optimiser.ts'
import { KEEP, WARMUP } from '../settings.ts'

/** Factor of the learning rate in step `step` (from 1): linear warm-up, 1, then a cosine to zero over the last half of `steps`. */
export function rateFactor (step: number, steps: number): number {
  const down = Math.min(1, Math.max(0, 2 * step - steps) / steps)
  return warmup(step, Math.min(WARMUP, steps / 10)) * (1 + Math.cos(Math.PI * down)) / 2
}

/** Weight of the past in the running mean of the parameters; the mean follows at once in the first steps. */
export function keepFactor (step: number): number {
  return Math.min(KEEP, step / (9 + step))
}
