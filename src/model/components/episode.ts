import { branched, type Random } from '../../common/random.ts'
import type { HostRecord } from '../../compute/index.ts'
import { amplitudesOf, inLook, planeOf, reaches, toImages, type Fitted, type Pixels } from '../../dataset/index.ts'
import { BANK_CHANNELS, BANK_ENTRIES, frequenciesIn } from '../../settings/publications.ts'
import type { TrainSettings } from '../../settings/training.ts'
import { boundaryLoss } from '../objectives/contrast.ts'
import { scalar } from '../train/host-records.ts'
import type { Around, Component, Term } from './component.ts'
import { lossOf } from './supervised.ts'

type Episode = NonNullable<TrainSettings['episode']>
/** Amplitudes of each channel. */
type Look = (channel: number) => readonly number[]

/**
 * In every step of phase G the images are also tried in another site's look, after a trial step
 * (docs/spec/publications.md#episodes).
 */
export function episode (
  settings: Episode,
  { side, pixels, maskSide }: { readonly side: number, readonly pixels: Pixels | undefined, readonly maskSide: number }
): Component {
  const { weight, contrast, temperature, innerRate } = settings
  if (weight === 0) return { name: 'episode' }
  const ring = Math.max(1, Math.round(settings.ring * maskSide))
  const tried: Term = {
    name: 'episode', isOfLook: true, weight, loss: ({ inLook: seen, ...truth }) => lossOf(seen().masks, truth)
  }
  const borders: Term = {
    name: 'boundary contrast',
    isOfLook: true,
    weight: weight * contrast,
    loss: ({ student, inLook: seen, targets }) => boundaryLoss({ targets, pictures: [student.picture, seen().picture], ring, temperature })
  }
  return {
    name: 'episode',
    terms: { G: contrast === 0 ? [tried] : [tried, borders] },
    feeds: (phase, batch, random, around): HostRecord => phase !== 'G'
      ? {}
      : {
          '@look': { shape: [batch.length, side, side, 3], data: toImages(looks(batch, settings, branched(random), around), pixels) },
          ...(innerRate === 0 ? {} : { '@innerRate': scalar(innerRate) })
        }
  }
}

/** Each image with amplitudes of a random other site, or of a random own image as long as no other shows any. */
function looks (batch: readonly Fitted[], { window, ratio }: Episode, random: Random, { samples, received }: Around): Fitted[] {
  const banks = received.filter(({ kind }) => kind === 'amplitude-bank').map(({ values }) => values)
  const own = samples.filter((each) => reaches(each, window))
  return batch.map((fitted) => {
    const [which, entry, drawn] = [random(), random(), random()]
    if (!reaches(fitted, window)) return fitted
    const amplitudes = banks.length > 0
      ? lookIn(banks[Math.floor(which * banks.length)]!, Math.floor(entry * BANK_ENTRIES), window)
      : lookOf(own[Math.floor(which * own.length)]!, window)
    return inLook(fitted, { window, ratio: ratio === 'uniform' ? drawn : ratio, amplitudes })
  })
}

function lookOf (fitted: Fitted, window: number): Look {
  return (c) => amplitudesOf(planeOf(fitted, Math.min(c, fitted.channels - 1)), window)
}

/** Of one entry of a bank, whose numbers are logarithms. */
function lookIn (bank: Float32Array, entry: number, window: number): Look {
  const count = frequenciesIn(window)
  return (c) => {
    const begin = (entry * BANK_CHANNELS + c) * count
    return [...bank.subarray(begin, begin + count)].map(Math.exp)
  }
}
