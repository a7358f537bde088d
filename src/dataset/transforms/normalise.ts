import { InputError } from '../../errors.ts'
import type { Voxels } from '../../formats/nifti.ts'

/** Soft tissue: bone and lung saturate, organs do not. */
const CT_WINDOW = { center: 40, width: 400 } as const
const PERCENTILES = [0.5, 99.5] as const
/** Air in Hounsfield units is −1000; nothing in MR is stored that low by convention. */
const CT_AIR = -500
/** Hounsfield units of air and of lungs full of it; below lies nothing but the one value beside the field of view. */
const AIR = { low: -1100, high: -850 } as const
/** What there is at least of air, and at most below it, as a share of the values. */
const AIR_SHARE = 0.01
const BELOW_AIR_SHARE = 0.005
/** MR phase and field maps run as far below 0 as above, without much at air's value. */
const SYMMETRY = 0.05
const MUCH_AIR_SHARE = 0.15
/** More values than this are sampled: percentiles of a million are as good as those of a billion. */
const MAX_SAMPLE = 2 ** 20

export type Modality = 'ct' | 'other' | 'unknown'

export interface Values {
  readonly stored: Voxels
  readonly slope: number
  readonly intercept: number
}

/** How values are shown: through a window (center and width in their unit), or between two percentiles (0..100) of each image. */
export type Window = { readonly center: number, readonly width: number } | { readonly percentiles: readonly [number, number] }

export interface NormaliseOptions {
  /** What the federation says; else CT has a window of its own, and everything else its percentiles. */
  readonly window?: Window | undefined
  readonly modality?: Modality | undefined
  /** As federations did whose document says no window: where nothing states the modality, values below −500 are CT. */
  readonly asBefore?: boolean | undefined
  /** Known already. */
  readonly shown?: Shown | undefined
}

/** How the values of one image were shown. */
export interface Shown {
  /** 8-bit values stay */
  readonly how: 'as-stored' | 'window' | 'percentiles'
  /** value that is black, value that is white */
  readonly range: readonly [number, number]
  readonly because: 'document' | 'stated' | 'values'
  /** said to be CT, but no value is below 0, as of air and fat in Hounsfield units */
  readonly doubtful: boolean
  /** nothing says what it is, and its values may be Hounsfield units of a part of the body without air */
  readonly maybeCt?: boolean
}

/** Stored value → brightness 0..255. */
export type Brightness = (stored: number) => number

/**
 * How values become 8-bit brightness: 8-bit stays, CT is shown through a window, everything else is clipped at its 0.5th and
 * 99.5th percentile. Decided once per volume, so that its slices stay comparable.
 *
 * @throws InputError when all values are alike
 */
export function brightness (values: Values, options: NormaliseOptions = {}): Brightness {
  const { slope, intercept } = values
  const { how, range: [low, high] } = options.shown ?? shownOf(values, options)
  if (how === 'as-stored') return (value) => value
  const scale = 255 / (high - low)
  return (value) => {
    const shown = (value * slope + intercept - low) * scale
    return shown > 0 ? Math.min(255, Math.round(shown)) : 0
  }
}

/** How an image is shown. @throws InputError when all values are alike */
export function shownOf (values: Values, options: NormaliseOptions = {}): Shown {
  const { stored, slope, intercept } = values
  const { window, modality = 'unknown', asBefore = false } = options
  const because = window != null ? 'document' : modality === 'unknown' ? 'values' : 'stated'
  if (stored instanceof Uint8Array && slope === 1 && intercept === 0) return { how: 'as-stored', range: [0, 255], because, doubtful: false }
  const sorted = sampleSorted(values)
  if (window != null) return { because, ...rangeOf(sorted, window, modality) }
  if (isCt(sorted, modality, asBefore)) return { because, ...rangeOf(sorted, CT_WINDOW, modality) }
  const maybeCt = modality === 'unknown' && isMaybeHounsfield(sorted)
  return { because, ...rangeOf(sorted, { percentiles: PERCENTILES }, modality), maybeCt }
}

function rangeOf (sorted: Float64Array, window: Window, modality: Modality): Omit<Shown, 'because'> {
  if ('percentiles' in window) return { how: 'percentiles', range: between(sorted, window.percentiles), doubtful: false }
  const { center, width } = window
  return { how: 'window', range: [center - width / 2, center + width / 2], doubtful: modality === 'ct' && !((sorted[0] ?? 0) < 0) }
}

function isCt (sorted: Float64Array, modality: Modality, asBefore: boolean): boolean {
  if (modality !== 'unknown') return modality === 'ct'
  return asBefore ? at(sorted, PERCENTILES[0]) <= CT_AIR : isHounsfield(sorted)
}

/** Whether values are Hounsfield units by what only they have: air, and nothing below it but one value for what was not scanned. */
function isHounsfield (sorted: Float64Array): boolean {
  const [floor, low, high] = [sorted[0] ?? NaN, at(sorted, PERCENTILES[0]), at(sorted, PERCENTILES[1])]
  if (!(low <= CT_AIR)) return false
  const share = (from: number, to: number): number => (below(sorted, to) - below(sorted, from)) / sorted.length
  const atFloor = share(floor, floor + 1)
  const air = Math.max(share(AIR.low, AIR.high), atFloor)
  // Values of air cut off at one number pile up there; those of phase do not.
  const isCutOff = floor >= AIR.low && floor <= AIR.high && atFloor >= AIR_SHARE
  const symmetric = isSymmetric(low, high) && air < MUCH_AIR_SHARE && !isCutOff
  return air >= AIR_SHARE && share(floor + 1, AIR.low) <= BELOW_AIR_SHARE && !symmetric
}

function isSymmetric (low: number, high: number): boolean {
  return Math.abs(high + low) <= SYMMETRY * (high - low)
}

/** Whole numbers, some of them below 0 as those of fat are, but none below air. */
function isMaybeHounsfield (sorted: Float64Array): boolean {
  const [floor, low, high] = [sorted[0] ?? NaN, at(sorted, PERCENTILES[0]), at(sorted, PERCENTILES[1])]
  return floor >= AIR.low && low < 0 && high > 0 && !isSymmetric(low, high) && sorted.every(Number.isInteger)
}

/** How many of the sorted values are below a limit. */
function below (sorted: Float64Array, limit: number): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (sorted[middle]! < limit) from = middle + 1
    else to = middle
  }
  return from
}

function at (sorted: Float64Array, percentile: number): number {
  return sorted[Math.round(percentile / 100 * (sorted.length - 1))] ?? NaN
}

function between (sorted: Float64Array, [lower, upper]: readonly [number, number]): [number, number] {
  const [low, high] = [at(sorted, lower), at(sorted, upper)]
  if (high > low) return [low, high]
  // Nearly everything is background: the percentiles coincide although there is something to see.
  if (at(sorted, 100) > at(sorted, 0)) return [at(sorted, 0), at(sorted, 100)]
  throw new InputError('all values are alike: there is nothing to see')
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
