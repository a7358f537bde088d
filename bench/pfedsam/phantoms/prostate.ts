import { streamRandom, type Random } from '../../../scripts/pretrain/scenes/random.ts'
import { smoothNoise } from '../../../scripts/pretrain/scenes/render.ts'
import { noise, blur } from '../../../scripts/sample/shifts.ts'
import { seededRandom } from '../../../src/common/random.ts'
import { brightnessAt, drawPelvis, type Pelvis } from './pelvis.ts'
import { depthIn } from './shape.ts'
import type { Drawing, PhantomSite } from './types.ts'

/** What a scanner and its protocol do to a pelvis. */
interface Scanner {
  readonly name: string
  /** Side of the picture in mm: from … to. */
  readonly field: readonly [number, number]
  /** Strength of the smooth unevenness of a body coil. */
  readonly bias: number
  /** Brightness is raised to this power, then squeezed into from … to. */
  readonly gamma: number
  readonly window: readonly [number, number]
  /** Standard deviation of the blur, mm. */
  readonly blur: number
  /** Of Rician noise, 1 being the brightest tissue. */
  readonly noise: number
  /** A coil in the rectum: the gland is pressed flat and what is near shines. */
  readonly endorectal: boolean
  /** Contrast of tissues the other way round, as another sequence has it; as T2 shows them if not given. */
  readonly inverted?: true
  /** What is outlined here; the whole gland if not given. */
  readonly outlines?: 'core'
}

const SCANNERS: readonly Scanner[] = [
  { name: 'body-coil-3t', field: [118, 140], bias: 0.25, gamma: 1, window: [0, 1], blur: 0.5, noise: 0.03, endorectal: false },
  { name: 'body-coil-1.5t', field: [128, 150], bias: 0.35, gamma: 1.2, window: [0.05, 0.8], blur: 1.1, noise: 0.09, endorectal: false },
  { name: 'endorectal-3t', field: [100, 120], bias: 0.2, gamma: 0.9, window: [0, 1], blur: 0.5, noise: 0.03, endorectal: true },
  { name: 'endorectal-1.5t', field: [110, 130], bias: 0.35, gamma: 1.1, window: [0, 0.9], blur: 0.9, noise: 0.07, endorectal: true },
  { name: 'low-contrast', field: [125, 145], bias: 0.3, gamma: 0.55, window: [0.12, 0.75], blur: 0.9, noise: 0.05, endorectal: false },
  { name: 'thick-slices', field: [150, 175], bias: 0.6, gamma: 1, window: [0, 1], blur: 1.8, noise: 0.05, endorectal: false }
]

/** Six simulated MR scanners: T2-like sections of the pelvis; the organ is the prostate. */
export const prostateSites: readonly PhantomSite[] = sitesOf(SCANNERS)

/** How many of the same scanners show tissues as T2 does; the others have their contrast inverted, of the same patients. */
export const T2_LIKE = 3
export const modalitySites: readonly PhantomSite[] = sitesOf(SCANNERS.map((scanner, index) =>
  index < T2_LIKE ? scanner : { ...scanner, name: `${scanner.name}-inverted`, inverted: true }))

/** Every second scanner: body and endorectal coils are on either side, so that looks do not tell by which rule a site outlines. */
export function outlinesCore (site: number): boolean {
  return site % 2 === 1
}

/** The same patients and pictures at the same scanners, outlined by two rules: the whole gland, or its transition zone alone. */
export const conflictSites: readonly PhantomSite[] = sitesOf(SCANNERS.map((scanner, index) =>
  outlinesCore(index) ? { ...scanner, name: `${scanner.name}-inner`, outlines: 'core' } : scanner))

/** Brightness as T2 shows it, and inverted: what gives no signal stays dark. */
const INVERTED = [[0, 0.03], [0.06, 0.08], [0.12, 0.9], [0.3, 0.66], [0.5, 0.44], [0.75, 0.2], [1, 0.08]] as const

function sitesOf (scanners: readonly Scanner[]): PhantomSite[] {
  return scanners.map((scanner, index) => ({
    name: scanner.name,
    draw: (seed, patient, side) => drawSection(scanner, seed, index * 100_000 + patient, side)
  }))
}

/** Linear between the places of the table. */
function inverted (value: number): number {
  const at = Math.max(1, INVERTED.findIndex(([from]) => value < from))
  const [[from, low], [to, high]] = value >= 1 ? [INVERTED.at(-2)!, INVERTED.at(-1)!] : [INVERTED[at - 1]!, INVERTED[at]!]
  return low + (high - low) * Math.min(1, (value - from) / (to - from))
}

function drawSection (scanner: Scanner, seed: number, stream: number, side: number): Drawing {
  const random = streamRandom(seed, stream)
  const pelvis = drawPelvis(random, scanner)
  const scale = random.range(...scanner.field) / side
  const [fine, coarse] = [smoothNoise(random, side, 40), smoothNoise(random, side, 9)]
  const places = Array.from(
    { length: side * side },
    (_, i) => ({ x: (i % side + 0.5 - side / 2) * scale, y: (Math.floor(i / side) + 0.5 - side / 2) * scale })
  )
  const shown = scanner.inverted === true ? inverted : (value: number): number => value
  const tissue = Float32Array.from(places, (place, i) => shown(brightnessAt(pelvis, place, fine[i]!, coarse[i]!)))
  const lit = illuminate(tissue, places, pelvis, scanner, random)
  const seen = noise(seededRandom(seed + 1, stream), scanner.noise)(
    blur(scanner.blur / scale)({ height: side, width: side, slices: [lit] })
  ).slices[0]!
  return {
    side,
    channels: 1,
    image: expose(seen, scanner),
    mask: Uint8Array.from(places, ({ x, y }) => isOutlined(pelvis, scanner, x, y) ? 1 : 0)
  }
}

/** The transition zone ends where the gland does: it is painted no further. */
function isOutlined ({ gland, core }: Pelvis, { outlines }: Scanner, x: number, y: number): boolean {
  return depthIn(gland, x, y) > 0 && (outlines == null || depthIn(core, x, y) > 0)
}

/** The body coil's slow unevenness, and the flare around an endorectal one. */
function illuminate (
  tissue: Float32Array,
  places: readonly { x: number, y: number }[],
  { rectum }: Pelvis,
  { bias, endorectal }: Scanner,
  random: Random
): Float32Array {
  const [x0, y0, bend] = [random.range(-1, 1), random.range(-1, 1), random.range(-1, 1)].map((each) => each * bias)
  const [flare, reach] = [random.range(1.2, 2.4), random.range(13, 19)]
  return tissue.map((value, i) => {
    const { x, y } = places[i]!
    const [u, v] = [x / 65, y / 65]
    const body = Math.exp(x0! * u + y0! * v + bend! * (u * u - v * v))
    if (!endorectal) return value * body
    return value * body * (0.6 + flare * Math.exp(-Math.max(0, -depthIn(rectum, x, y)) / reach))
  })
}

/** 8 bits, clipped where the brightest hundredth begins. */
function expose (values: Float32Array, { gamma, window: [low, high] }: Scanner): Uint8Array {
  const top = values.toSorted()[Math.floor(0.99 * values.length)]!
  return Uint8Array.from(values, (value) => Math.round(255 * (low + (high - low) * Math.min(1, Math.max(0, value / top)) ** gamma)))
}
