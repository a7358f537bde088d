import { shuffled, type Random } from '../../common/random.ts'
import type { HostRecord } from '../../compute/index.ts'
import { toImages, type Fitted, type Pixels } from '../../dataset/index.ts'
import type { TrainSettings } from '../../settings/training.ts'
import type { Component } from './component.ts'

/** In some steps patches of the images take styles of each other and of further own images (docs/spec/views.md#style-swap). */
export function styleSwap (
  { patches, probability, donors }: NonNullable<TrainSettings['swap']>,
  { side, pixels }: { readonly side: number, readonly pixels: Pixels | undefined }
): Component {
  return {
    name: 'style-swap',
    feeds: (_phase, batch, random, { samples }): HostRecord => {
      if (probability === 0 || random() >= probability) return {}
      const lending = drawn(samples, donors, random)
      const places = (batch.length + donors) * patches ** 2
      return {
        '@swap': { shape: [batch.length * patches ** 2, places], data: oneHot(batch.length * patches ** 2, places, random) },
        ...(donors === 0 ? {} : { '@donors': { shape: [donors, side, side, 3], data: toImages(lending, pixels) } })
      }
    }
  }
}

function drawn (samples: readonly Fitted[], count: number, random: Random): Fitted[] {
  return Array.from({ length: count }, () => samples[Math.floor(random() * samples.length)]!)
}

/** One 1 in each row, no two in one column. */
function oneHot (rows: number, columns: number, random: Random): Float32Array {
  const order = shuffled(Array.from({ length: columns }, (_, i) => i), random)
  const matrix = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++) matrix[row * columns + order[row]!] = 1
  return matrix
}
