import type { Random } from '../../../scripts/pretrain/scenes/random.ts'
import { bentEllipse, cover, coverOf, depthIn, shareOf, type Outline } from './shape.ts'

/** A place in mm from the middle of the picture: x to the right of it, y to the patient's back. */
interface Place { readonly x: number, readonly y: number }

interface Nodule { readonly outline: Outline, readonly level: number }

/** One patient's pelvis at the height of the prostate; lengths in mm, brightness in 0..1 as T2 shows it. */
export interface Pelvis {
  readonly gland: Outline
  /** The transition zone within it. */
  readonly core: Outline
  readonly nodules: readonly Nodule[]
  readonly tumours: readonly Outline[]
  readonly rectum: Outline
  readonly lumen: { readonly outline: Outline, readonly level: number }
  readonly muscles: readonly Outline[]
  readonly bones: readonly Outline[]
  readonly veins: readonly Nodule[]
  /** Half the gap between the two slings of the levator ani, and how it widens. */
  readonly sling: number
  /** Brightness of the outer zone, of the transition zone, and how clear the capsule is. */
  readonly outer: number
  readonly inner: number
  readonly capsule: number
}

/** Tells how the probe in the rectum, if there is one, shapes things. */
export interface Probe { readonly endorectal: boolean }

/** Draws a patient. */
export function drawPelvis (random: Random, { endorectal }: Probe): Pelvis {
  const size = random.range(17, 27)
  const centre = { x: random.range(-4, 4), y: random.range(-9, 1) - size * 0.15 }
  const gland = flattened(
    bentEllipse(random, {
      ...centre,
      halfWidth: size * random.range(1.02, 1.22),
      halfHeight: size * random.range(0.78, 0.98),
      turn: random.range(-0.12, 0.12),
      bend: 0.05
    }),
    endorectal ? random.range(0.7, 0.85) : random.range(0.86, 1)
  )
  const bulk = random.range(0.5, 0.86)
  const core = bentEllipse(random, {
    x: centre.x,
    y: centre.y - size * (1 - bulk) * 0.7,
    halfWidth: size * bulk * 1.05,
    halfHeight: size * bulk * 0.85,
    bend: 0.08
  })
  const back = centre.y + gland.radius(Math.PI / 2)
  const width = random.range(9, 15)
  const depth = endorectal ? random.range(17, 22) : random.range(8, 14)
  const rectum = bentEllipse(random, {
    x: centre.x + random.range(-5, 5),
    y: back + depth + 1.5,
    halfWidth: endorectal ? depth * 1.15 : width,
    halfHeight: depth,
    bend: endorectal ? 0.02 : 0.08
  })
  const lumen = bentEllipse(random, {
    x: rectum.x,
    y: rectum.y,
    halfWidth: rectum.radius(0) * (endorectal ? 0.88 : random.range(0.4, 0.75)),
    halfHeight: rectum.radius(Math.PI / 2) * (endorectal ? 0.86 : random.range(0.35, 0.75)),
    bend: endorectal ? 0.01 : 0.15
  })
  const content = random.pick([0.03, 0.06, 0.3, 0.75])
  return {
    gland,
    core,
    nodules: drawNodules(random, core, bulk),
    tumours: drawTumours(random, gland),
    rectum,
    lumen: { outline: lumen, level: endorectal ? 0.02 : content },
    muscles: drawMuscles(random),
    bones: drawBones(random),
    veins: drawVeins(random, gland),
    sling: random.range(24, 31),
    outer: random.range(0.55, 0.85),
    inner: random.range(0.3, 0.46),
    capsule: random.range(0.05, 0.8)
  }
}

/** The gland's back is flat against the rectum. */
function flattened (outline: Outline, share: number): Outline {
  return { ...outline, radius: (angle) => outline.radius(angle) * (1 - (1 - share) * Math.max(0, Math.sin(angle)) ** 2) }
}

/** Hyperplasia: round nodules bright or dark, more of them in a large transition zone. */
function drawNodules (random: Random, core: Outline, bulk: number): Nodule[] {
  return Array.from({ length: Math.round(bulk * random.range(1, 8)) }, () => {
    const radius = core.radius(0) * random.range(0.12, 0.34)
    return { outline: within(random, core, 0.75, radius), level: random.range(0.18, 0.75) }
  })
}

/** Dark spots in the outer zone, in half of the patients; they may hide the gland's edge. */
function drawTumours (random: Random, gland: Outline): Outline[] {
  if (random.chance(0.5)) return []
  return Array.from({ length: random.integer(1, 2) }, () => {
    const angle = random.range(0.1, Math.PI - 0.1)
    const out = gland.radius(angle) * random.range(0.72, 0.98)
    return bentEllipse(random, {
      x: gland.x + out * Math.cos(angle),
      y: gland.y + out * Math.sin(angle),
      halfWidth: random.range(3, 8),
      halfHeight: random.range(2.5, 5),
      turn: angle + Math.PI / 2,
      bend: 0.12
    })
  })
}

function within (random: Random, outline: Outline, reach: number, radius: number): Outline {
  const angle = random.range(0, 2 * Math.PI)
  const out = outline.radius(angle) * reach * Math.sqrt(random.range(0, 1))
  return bentEllipse(random, {
    x: outline.x + out * Math.cos(angle),
    y: outline.y + out * Math.sin(angle),
    halfWidth: radius,
    halfHeight: radius * random.range(0.7, 1),
    turn: angle,
    bend: 0.06
  })
}

/** Obturator internus on either side, and what is seen of the gluteus behind. */
function drawMuscles (random: Random): Outline[] {
  return [-1, 1].flatMap((side) => [
    bentEllipse(random, {
      x: side * random.range(45, 50),
      y: random.range(-8, 2),
      halfWidth: random.range(8, 11),
      halfHeight: random.range(28, 34),
      turn: side * random.range(0.05, 0.2),
      bend: 0.05
    }),
    bentEllipse(random, {
      x: side * random.range(48, 58),
      y: random.range(62, 70),
      halfWidth: random.range(24, 32),
      halfHeight: random.range(13, 18),
      turn: side * -0.5,
      bend: 0.05
    })
  ])
}

/** Both halves of the symphysis in front, acetabulum with femoral head at the sides, tip of the coccyx behind. */
function drawBones (random: Random): Outline[] {
  const front = random.range(-54, -48)
  return [
    ...[-1, 1].map((side) =>
      bentEllipse(random, {
        x: side * random.range(15, 18),
        y: front,
        halfWidth: random.range(13, 15),
        halfHeight: random.range(8, 11),
        turn: side * 0.55,
        bend: 0.04
      })
    ),
    ...[-1, 1].map((side) =>
      bentEllipse(random, {
        x: side * random.range(70, 76),
        y: random.range(-12, -4),
        halfWidth: random.range(16, 19),
        halfHeight: random.range(22, 28),
        bend: 0.05
      })
    ),
    bentEllipse(random, {
      x: random.range(-2, 2),
      y: random.range(63, 68),
      halfWidth: random.range(5, 8),
      halfHeight: random.range(3, 5),
      bend: 0.05
    })
  ]
}

/** Bright veins before and beside the gland. */
function drawVeins (random: Random, gland: Outline): Nodule[] {
  return Array.from({ length: random.integer(6, 16) }, () => {
    const angle = random.pick([-Math.PI / 2, -Math.PI / 2, 0.35, Math.PI - 0.35]) + random.range(-0.45, 0.45)
    const out = gland.radius(angle) + random.range(1.5, 7)
    const radius = random.range(1, 2.6)
    return {
      outline: bentEllipse(random, {
        x: gland.x + out * Math.cos(angle),
        y: gland.y + out * Math.sin(angle),
        halfWidth: radius,
        halfHeight: radius,
        bend: 0.1
      }),
      level: random.range(0.55, 0.95)
    }
  })
}

const FAT = 0.62
const MUSCLE = 0.13
const MARROW = 0.44
const CORTEX = 0.05
const WALL = 0.26

/** Brightness at a place; `fine` and `coarse` are textures in −1..1. */
export function brightnessAt (pelvis: Pelvis, { x, y }: Place, fine: number, coarse: number): number {
  const inside = (outline: Outline, width: number, margin = 0): number => coverOf(outline, x, y, width, margin)
  let value = FAT * (1 + 0.12 * coarse)
  for (const muscle of pelvis.muscles) value = mix(value, MUSCLE * (1 + 0.35 * fine), inside(muscle, 2))
  for (const bone of pelvis.bones) value = mix(mix(value, CORTEX, inside(bone, 1.2)), MARROW * (1 + 0.2 * fine), inside(bone, 1.2, -2))
  value = mix(value, MUSCLE * 1.1, slingAt(pelvis, { x, y }))
  value = mix(value, 0.34, 0.7 * inside(pelvis.gland, 5, 4))
  for (const { outline, level } of pelvis.veins) value = mix(value, level, inside(outline, 1.2))
  value = mix(value, WALL, inside(pelvis.rectum, 1.4))
  value = mix(value, pelvis.lumen.level, inside(pelvis.lumen.outline, 1.4))
  const inGland = inside(pelvis.gland, 1.4)
  return inGland === 0 ? value : mix(value, glandAt(pelvis, { x, y }, fine, coarse), inGland)
}

/** The levator ani: two thin dark slings that meet behind the rectum. */
function slingAt ({ sling, rectum }: Pelvis, { x, y }: Place): number {
  const below = rectum.y + rectum.radius(Math.PI / 2) + 5
  const t = (y + 22) / (below + 22)
  if (t < 0 || t > 1) return 0
  return Math.min(1, 5 * t) * cover(1.7 - Math.abs(Math.abs(x - rectum.x * t) - sling * Math.sqrt(1 - t ** 3)), 1.6)
}

function glandAt ({ gland, core, nodules, tumours, outer, inner, capsule }: Pelvis, { x, y }: Place, fine: number, coarse: number): number {
  let value = outer * (1 + 0.14 * fine + 0.1 * coarse)
  value = mix(value, inner * (1 + 0.25 * fine + 0.2 * coarse), coverOf(core, x, y, 2.4))
  for (const { outline, level } of nodules) {
    const inNodule = coverOf(outline, x, y, 1.2) * coverOf(core, x, y, 2)
    value = mix(mix(value, 0.16, inNodule), level * (1 + 0.2 * fine), inNodule * coverOf(outline, x, y, 1.2, -1))
  }
  for (const tumour of tumours) value = mix(value, 0.27, 0.85 * coverOf(tumour, x, y, 2.5))
  // The fibromuscular stroma in front is as dark as the muscles there.
  const front = cover((gland.y - y) / gland.radius(-Math.PI / 2) - 0.72, 0.35) * cover(shareOf(gland, x, y) - 0.62, 0.3)
  value = mix(value, 0.2, 0.85 * front)
  const rim = depthIn(gland, x, y)
  return rim < 1.3 ? mix(value, 0.14, capsule) : value
}

function mix (from: number, to: number, share: number): number {
  return from + (to - from) * share
}
