import { seededRandom, shuffled } from '../common/random.ts'
import { UNKNOWN, type Slice } from '../dataset/index.ts'
import { visitDistances } from '../model/scores/distance-transform.ts'

/** Outlines that are wrong on purpose: simulated, no radiographer errs like this. */
export interface LabelNoise {
  /** Names of the sites that have such. */
  readonly sites: readonly string[]
  /** Of their training patients, above 0 up to 1: at least one of them. */
  readonly share: number
  /** Pixels of the image as it is read: by so much an outline lies too far out, or too far in, by chance. */
  readonly radius: number
}

interface NoisySite {
  /** Among the sites, from 0. */
  readonly site: number
  readonly name: string
  readonly seed: number
}

/** Stream of the site's seed that says whose outlines are wrong, and how. */
const NOISE = 0x6e6f

/** @returns undefined for what is none: SITE,SITE:SHARE:RADIUS */
export function parseNoise (text: string): LabelNoise | undefined {
  const [sites = '', part = '', pixels = '', ...more] = text.split(':')
  const [names, share, radius] = [sites.split(','), Number(part), Number(pixels)]
  const isNoise = more.length === 0 && names.every((name) => name !== '') && part !== '' && share > 0 && share <= 1
  return isNoise && Number.isInteger(radius) && radius > 0 ? { sites: names, share, radius } : undefined
}

/** A site's training slices; where it is one of the noisy ones, the outlines of that share of its patients lie wrong. */
export function withNoise (
  slices: readonly Slice[],
  noise: LabelNoise | undefined,
  { site, name, seed }: NoisySite
): readonly Slice[] {
  if (noise?.sites.includes(name) !== true) return slices
  const random = seededRandom(seed * 1_000 + site, NOISE)
  const patients = shuffled([...new Set(slices.map(({ subject }) => subject))], random)
  const wrong = patients.slice(0, Math.max(1, Math.round(noise.share * patients.length)))
  const grows = new Map(wrong.map((patient) => [patient, random() < 0.5]))
  return slices.map((slice) => {
    const isGrown = grows.get(slice.subject)
    if (isGrown == null || slice.kind != null) return slice
    return { ...slice, mask: isGrown ? dilated(slice, noise.radius) : eroded(slice, noise.radius) }
  })
}

type Masked = Pick<Slice, 'height' | 'width' | 'mask'>

/** Every organ by so many pixels over what is background; the nearest one, where two come. */
export function dilated (slice: Masked, radius: number): Uint8Array {
  const mask = slice.mask.slice()
  const nearest = new Float64Array(mask.length).fill(radius ** 2)
  for (const code of organsOf(slice)) {
    distancesTo(slice, (each) => each === code, (squared, i) => {
      if (slice.mask[i] !== 0 || squared > nearest[i]!) return
      nearest[i] = squared
      mask[i] = code
    })
  }
  return mask
}

/** Every organ by so many pixels from the background; one that would be lost is as it was. */
export function eroded (slice: Masked, radius: number): Uint8Array {
  const mask = slice.mask.slice()
  distancesTo(slice, (each) => each === 0, (squared, i) => {
    if (slice.mask[i] !== UNKNOWN && squared <= radius ** 2) mask[i] = 0
  })
  const lost = new Set(organsOf(slice).filter((code) => !mask.includes(code)))
  return lost.size === 0 ? mask : mask.map((code, i) => lost.has(slice.mask[i]!) ? slice.mask[i]! : code)
}

function organsOf ({ mask }: Masked): number[] {
  return [...new Set(mask)].filter((code) => code > 0 && code !== UNKNOWN).sort((a, b) => a - b)
}

/** How far, squared, each pixel's centre lies from the nearest one of this kind. */
function distancesTo (
  { mask, height, width }: Masked,
  isOne: (code: number) => boolean,
  visit: (squared: number, at: number) => void
): void {
  visitDistances(mask.map((code) => Number(isOne(code))), [1, height, width], [1, 1, 1], (squared, begin) => {
    squared.forEach((each, i) => { visit(each, begin + i) })
  })
}
