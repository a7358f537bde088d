import type { Site } from '../../../src/node/site.ts'
import type { TrainerReady } from '../../../src/rounds/trainer-messages.ts'
import { SIZE } from './account.ts'

/** What a trainer would say of a site with so many images. */
export function readyOf ({ federation: { document } }: Site, images: number): TrainerReady {
  return {
    model: 'year',
    baseHash: document.model.baseHash,
    tensors: [{ name: 'lora.a', shape: [2, SIZE / 2], role: 'lora' }],
    initial: new Float32Array(SIZE),
    images,
    validationImages: 3,
    skipped: {},
    engine: 'none',
    provider: 'cpu',
    engineReason: 'a test',
    privateRound: 0,
    warnings: []
  }
}
