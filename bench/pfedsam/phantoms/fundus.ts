import { streamRandom, type Random } from '../../../scripts/pretrain/scenes/random.ts'
import { smoothNoise } from '../../../scripts/pretrain/scenes/render.ts'
import { seededRandom } from '../../../src/common/random.ts'
import { photograph, type Camera } from './camera.ts'
import { bentEllipse, cover, depthIn, fillOutline, shareOf, stamp, type Outline } from './shape.ts'
import type { Drawing, PhantomSite } from './types.ts'
import { drawVessel } from './vessels.ts'

type Colour = readonly [red: number, green: number, blue: number]

/** What a patient's eye looks like around the optic nerve head. */
interface Eye {
  readonly disc: Outline
  readonly cup: Outline
  /** −1 where the macula lies to the left of the disc, else 1. */
  readonly temporal: number
  readonly pigment: number
  /** Width of the edges of disc and cup, pixels. */
  readonly discEdge: number
  readonly cupEdge: number
  /** How pale the cup is, 0..1. */
  readonly pallor: number
  /** Ring of thinned tissue beside the disc: its outline and how visible it is. */
  readonly atrophy: { readonly outline: Outline, readonly strength: number }
}

interface FundusSite extends Camera {
  readonly name: string
  /** Radius of the disc as a share of the picture's side: the field of view. */
  readonly disc: readonly [number, number]
  /** Share of pigment in the population that comes here. */
  readonly pigment: readonly [number, number]
}

const SITES: readonly FundusSite[] = [
  {
    name: 'eye-clinic',
    disc: [0.21, 0.27],
    pigment: [0.1, 0.6],
    gains: [1, 1, 1],
    gamma: 1,
    tilt: 0.15,
    vignette: 0.25,
    blur: [0.5, 0.8],
    noise: 0.02,
    aperture: 1
  },
  {
    name: 'screening-van',
    disc: [0.13, 0.18],
    pigment: [0.2, 0.8],
    gains: [1.1, 0.85, 0.6],
    gamma: 1.25,
    tilt: 0.35,
    vignette: 0.55,
    blur: [0.8, 1.4],
    noise: 0.05,
    aperture: 0.49
  },
  {
    name: 'handheld',
    disc: [0.24, 0.33],
    pigment: [0.5, 1],
    gains: [0.85, 0.95, 1.15],
    gamma: 0.8,
    tilt: 0.5,
    vignette: 0.4,
    blur: [1.2, 2],
    noise: 0.035,
    aperture: 0.62
  },
  {
    name: 'university',
    disc: [0.17, 0.23],
    pigment: [0, 0.4],
    gains: [0.92, 1.04, 0.85],
    gamma: 0.95,
    tilt: 0.1,
    vignette: 0.1,
    blur: [0.3, 0.5],
    noise: 0.012,
    aperture: 1
  }
]

const PALE_FUNDUS: Colour = [0.86, 0.47, 0.24]
const DARK_FUNDUS: Colour = [0.5, 0.2, 0.1]
const ATROPHY: Colour = [0.86, 0.66, 0.44]
const RIM: Colour = [0.93, 0.6, 0.36]
const CUP: Colour = [0.97, 0.86, 0.66]
const EXUDATE: Colour = [0.95, 0.85, 0.5]

/** Four simulated eye clinics: colour photographs around the optic disc; the organ is the cup. */
export const fundusSites: readonly PhantomSite[] = SITES.map((site, index) => ({
  name: site.name,
  draw: (seed, patient, side) => drawFundus(site, seed, index * 100_000 + patient, side)
}))

function drawFundus (site: FundusSite, seed: number, stream: number, side: number): Drawing {
  const random = streamRandom(seed, stream)
  const eye = drawEye(site, random, side)
  const planes = paint(eye, random, side)
  const image = photograph(planes, side, site, random, seededRandom(seed + 1, stream))
  return { side, channels: 3, image, mask: cupMask(eye, side) }
}

/** The cup as far as it lies in the disc: it is painted no further. */
function cupMask ({ disc, cup }: Eye, side: number): Uint8Array {
  const within = fillOutline(disc, side)
  return fillOutline(cup, side).map((label, i) => label & within[i]!)
}

function drawEye (site: FundusSite, random: Random, side: number): Eye {
  const radius = side * random.range(...site.disc)
  const temporal = random.pick([-1, 1])
  const [x, y] = [side * random.range(0.4, 0.6), side * random.range(0.42, 0.58)]
  const disc = bentEllipse(random, {
    x,
    y,
    halfWidth: radius * random.range(0.86, 0.98),
    halfHeight: radius * random.range(0.98, 1.1),
    turn: random.range(-0.25, 0.25),
    bend: 0.03
  })
  const share = random.range(0.3, 0.75)
  const cup = bentEllipse(random, {
    x: x + temporal * radius * random.range(0, 0.12),
    y: y + radius * random.range(-0.08, 0.08),
    halfWidth: radius * share * random.range(0.85, 1.05),
    halfHeight: radius * share * random.range(0.92, 1.2),
    turn: random.range(-0.4, 0.4),
    bend: 0.09
  })
  const around = bentEllipse(random, {
    x: x + temporal * radius * random.range(0.1, 0.22),
    y,
    halfWidth: radius * random.range(1.05, 1.25),
    halfHeight: radius * random.range(1.02, 1.2),
    bend: 0.05
  })
  return {
    disc,
    cup,
    temporal,
    pigment: random.range(...site.pigment),
    discEdge: radius * random.range(0.06, 0.16),
    cupEdge: radius * random.range(0.12, 0.45),
    pallor: random.range(0.45, 1),
    atrophy: { outline: around, strength: random.chance(0.5) ? random.range(0.25, 0.8) : 0 }
  }
}

/** Red, green and blue planes in 0..1, side × side. */
function paint (eye: Eye, random: Random, side: number): Float32Array[] {
  const planes = [0, 1, 2].map(() => new Float32Array(side * side))
  const vessels = drawVessels(eye, random, side)
  const choroid = smoothNoise(random, side, 14)
  const shades = smoothNoise(random, side, 4)
  const spots = drawSpots(random, side)
  const base = mix(PALE_FUNDUS, DARK_FUNDUS, eye.pigment)
  for (let i = 0; i < side * side; i++) {
    const [x, y] = [i % side + 0.5, Math.floor(i / side) + 0.5]
    const brightness = 1 + 0.12 * shades[i]! + (0.04 + 0.12 * eye.pigment) * choroid[i]!
    let colour = scale(base, brightness)
    colour = mix(colour, EXUDATE, spots[i]!)
    colour = head(eye, x, y, colour)
    colour = blood(colour, vessels.veins[i]!, vessels.arteries[i]!)
    for (let c = 0; c < 3; c++) planes[c]![i] = colour[c]!
  }
  return planes
}

/** The nerve head over what is behind it. */
function head ({ disc, cup, atrophy, discEdge, cupEdge, pallor, temporal }: Eye, x: number, y: number, behind: Colour): Colour {
  const ring = mix(behind, ATROPHY, atrophy.strength * cover(depthIn(atrophy.outline, x, y), discEdge * 1.5))
  const inDisc = cover(depthIn(disc, x, y), discEdge)
  if (inDisc === 0) return ring
  // The temporal rim is the paler one.
  const lean = temporal * (x - disc.x) / disc.radius(0)
  const rim = scale(RIM, 1 + 0.06 * lean - 0.1 * (shareOf(disc, x, y) - 0.7))
  const inCup = cover(depthIn(cup, x, y), cupEdge)
  return mix(ring, mix(rim, CUP, pallor * inCup), inDisc)
}

/** Veins are wide and dark, arteries narrower and redder. */
function blood (colour: Colour, vein: number, artery: number): Colour {
  const [red, green, blue] = colour
  return [
    red * (1 - 0.36 * vein) * (1 - 0.14 * artery),
    green * (1 - 0.62 * vein) * (1 - 0.46 * artery),
    blue * (1 - 0.55 * vein) * (1 - 0.5 * artery)
  ]
}

interface Vessels { readonly veins: Float32Array, readonly arteries: Float32Array }

/** Four arcades that leave through the nasal side of the cup and bow around the macula, an artery beside a vein each. */
function drawVessels ({ disc, cup, temporal }: Eye, random: Random, side: number): Vessels {
  const vessels = { veins: new Float32Array(side * side), arteries: new Float32Array(side * side) }
  const radius = disc.radius(0)
  const [x, y] = [cup.x - temporal * cup.radius(0) * 0.35, cup.y]
  for (const up of [-1, 1]) {
    for (const toward of [1, -1]) {
      const angle = up * (Math.PI / 2 - toward * temporal * random.range(0.25, 0.6))
      const curve = up * toward * temporal * -random.range(0.002, 0.011) * 40 / radius
      for (const [plane, width] of [[vessels.veins, 0.075], [vessels.arteries, 0.055]] as const) {
        drawVessel(plane, side, random, {
          x: x + radius * random.range(-0.08, 0.08),
          y: y + up * radius * random.range(0, 0.15),
          angle: angle + random.range(-0.22, 0.22),
          width: radius * width * random.range(0.8, 1.2) * (toward === 1 ? 1 : 0.75) + 0.35,
          curve,
          length: 1.3 * side
        })
      }
    }
  }
  return vessels
}

/** Exudates: small bright spots, in some patients. */
function drawSpots (random: Random, side: number): Float32Array {
  const plane = new Float32Array(side * side)
  const count = random.chance(0.35) ? random.integer(3, 14) : 0
  const [x, y] = [random.range(0, side), random.range(0, side)]
  for (let i = 0; i < count; i++) {
    stamp(plane, side, {
      x: x + random.range(-0.16, 0.16) * side,
      y: y + random.range(-0.16, 0.16) * side,
      width: random.range(0.8, 2.6),
      height: random.range(0.4, 0.9)
    })
  }
  return plane
}

function mix ([r, g, b]: Colour, [red, green, blue]: Colour, share: number): Colour {
  return [r + (red - r) * share, g + (green - g) * share, b + (blue - b) * share]
}

function scale ([red, green, blue]: Colour, factor: number): Colour {
  return [red * factor, green * factor, blue * factor]
}
