/** Image files on disk → typed arrays: the one way into this folder. */
export * from './types.ts'
export { seededRandom, shuffled } from './random.ts'
export { fitSlice } from './transforms/fit.ts'
export { augment, type AugmentOptions } from './transforms/augment.ts'
export { toBatch, type Batch } from './transforms/batch.ts'
