import { beta } from '../../common/beta.ts'
import { branched, shuffled, type Random } from '../../common/random.ts'
import type { HostRecord } from '../../compute/index.ts'
import type { TrainSettings } from '../../settings/training.ts'
import type { Component } from './component.ts'

type Mixup = NonNullable<TrainSettings['mixup']>

/** In phase G the images of a batch, and their masks with them, are mixed in pairs (docs/spec/mixing.md#mixup). */
export function mixup (settings: Mixup): Component {
  return {
    name: 'mixup',
    feeds: (phase, batch, random): HostRecord => phase === 'G' ? pairs(batch.length, settings, branched(random)) : {}
  }
}

/** @partners [B,B] and @shares [B] of so many images: each takes another one's, where there is another. */
export function pairs (images: number, { alpha }: Mixup, random: Random): HostRecord {
  const order = shuffled(Array.from({ length: images }, (_, i) => i), random)
  const partners = new Float32Array(images * images)
  order.forEach((image, i) => { partners[image * images + order[(i + 1) % images]!] = 1 })
  return {
    '@partners': { shape: [images, images], data: partners },
    '@shares': { shape: [images], data: Float32Array.from({ length: images }, () => beta(alpha, random)) }
  }
}
