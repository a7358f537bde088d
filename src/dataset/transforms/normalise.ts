import { InputError } from '../../errors.ts'
import type { Voxels } from '../readers/nifti.ts'

/** Soft tissue: bone and lung saturate, organs do not. */
const CT_WINDOW = { center: 40, width: 400 } as const
/** Air in Hounsfield units is −1000; nothing in MR is stored that low by convention. */
const CT_AIR = -500
const LOW_SHARE = 0.005
const HIGH_SHARE = 0.995
/** More values than this are sampled: percentiles of a million are as good as those of a billion. */
const MAX_SAMPLE = 2 ** 20

export type Modality = 'ct' | 'other' | 'unknown'

export interface Values {
  readonly stored: Voxels
  readonly slope: number
  readonly intercept: number
}

export interface NormaliseOptions {
  readonly window?: { readonly center: number, readonly width: number } | undefined
  readonly modality?: Modality | undefined
}

/** Stored value → brightness 0..255. */
export type Brightness = (stored: number) => number

/**
 * How values become 8-bit brightness: 8-bit stays, CT is shown through a window, everything else is clipped at its 0.5th and
 * 99.5th percentile. Decided once per volume, so that its slices stay comparable.
 *
 * @throws InputError when all values are alike
 */
export function brightness (values: Values, { window, modality = 'unknown' }: NormaliseOptions = {}): Brightness {
  const { stored, slope, intercept } = values
  if (stored instanceof Uint8Array && slope === 1 && intercept === 0 && window == null) return (value) => value
  const [low, high] = range(values, window, modality)
  const scale = 255 / (high - low)
  return (value) => {
    const shown = (value * slope + intercept - low) * scale
    return shown > 0 ? Math.min(255, Math.round(shown)) : 0
  }
}

function range (values: Values, window: NormaliseOptions['window'], modality: Modality): [number, number] {
  if (window != null) return edges(window)
  const sorted = sampleSorted(values)
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? NaN
  const low = at(LOW_SHARE)
  if (modality === 'ct' || (modality === 'unknown' && low <= CT_AIR)) return edges(CT_WINDOW)
  if (at(HIGH_SHARE) > low) return [low, at(HIGH_SHARE)]
  // Nearly everything is background: the percentiles coincide although there is something to see.
  if (at(1) > at(0)) return [at(0), at(1)]
  throw new InputError('all values are alike: there is nothing to see')
}

function edges ({ center, width }: { center: number, width: number }): [number, number] {
  return [center - width / 2, center + width / 2]
}

function sampleSorted ({ stored, slope, intercept }: Values): Float64Array {
  let step = Math.max(1, Math.ceil(stored.length / MAX_SAMPLE))
  // A step that shares a factor with the row length would sample the same columns again and again.
  while (step > 1 && gcd(step, stored.length) > 1) step++
  const sample: number[] = []
  for (let i = 0; i < stored.length; i += step) {
    const value = stored[i]! * slope + intercept
    if (Number.isFinite(value)) sample.push(value)
  }
  return Float64Array.from(sample).sort()
}

function gcd (a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
