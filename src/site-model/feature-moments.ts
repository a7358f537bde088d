import type { Fitted } from '../dataset/index.ts'
import { EmbeddingCache } from '../model/predict/embedding-cache.ts'
import type { Learner } from '../model/train/learner.ts'
import { MOMENT_CHANNELS, MOMENT_PATIENTS, toMomentLevel } from '../settings/publications.ts'
import { byPatient } from './by-patient.ts'

/** Sums of a channel's values, and of their squares, per value. */
interface Sums { readonly mean: Float64Array, readonly square: Float64Array }

/**
 * What a site shows of its images' features (docs/spec/publications.md#moments): mean and deviation of each channel of the untrained base's
 * embedding, all patients weighing alike. Undefined for fewer patients than MOMENT_PATIENTS.
 */
export async function featureMoments (learner: Learner, samples: readonly Fitted[]): Promise<Float32Array | undefined> {
  const patients = [...byPatient(samples).values()]
  if (patients.length < MOMENT_PATIENTS) return undefined
  const segmenter = learner.segmenter({ adapter: learner.initialAdapter(), mode: 'frozen', cache: new EmbeddingCache({ memoryBytes: 0 }) })
  try {
    const sums: Sums[] = []
    for (const images of patients) {
      const each: Sums[] = []
      for (const image of images) each.push(sumsOf(await segmenter.embedding(image)))
      sums.push(meanOf(each))
    }
    return rounded(meanOf(sums))
  } finally {
    await segmenter.dispose()
  }
}

/** Of one embedding [1,G,G,d]. */
function sumsOf ({ shape, data }: { readonly shape: readonly number[], readonly data: ArrayLike<number> }): Sums {
  const width = shape.at(-1)!
  const tokens = data.length / width
  const [mean, square] = [new Float64Array(width), new Float64Array(width)]
  for (let i = 0; i < data.length; i++) {
    mean[i % width]! += data[i]! / tokens
    square[i % width]! += data[i]! ** 2 / tokens
  }
  return { mean, square }
}

function meanOf (all: readonly Sums[]): Sums {
  const of = (part: keyof Sums): Float64Array =>
    all[0]![part].map((_, i) => all.reduce((sum, each) => sum + each[part][i]!, 0) / all.length)
  return { mean: of('mean'), square: of('square') }
}

function rounded ({ mean, square }: Sums): Float32Array {
  const shown = new Float32Array(2 * MOMENT_CHANNELS)
  for (const [i, each] of mean.entries()) {
    shown[i] = toMomentLevel(each)
    shown[MOMENT_CHANNELS + i] = toMomentLevel(Math.sqrt(Math.max(0, square[i]! - each ** 2)))
  }
  return shown
}
