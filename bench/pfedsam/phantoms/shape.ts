import type { Random } from '../../../scripts/pretrain/scenes/random.ts'

/** A closed star-shaped line around (x, y): its distance from there at every angle (radians, clockwise from the right), in pixels. */
export interface Outline {
  readonly x: number
  readonly y: number
  /** The largest distance. */
  readonly reach: number
  radius (angle: number): number
}

interface Form {
  readonly x: number
  readonly y: number
  /** Half axes, and how far the first is turned from the right, radians. */
  readonly halfWidth: number
  readonly halfHeight: number
  readonly turn?: number
  /** Amplitude of the irregular bends, as a share of the radius. */
  readonly bend?: number
}

const ORDERS = [2, 3, 4, 5]
const ANGLES = 256

/** An ellipse bent by a few random waves. */
export function bentEllipse (random: Random, { x, y, halfWidth, halfHeight, turn = 0, bend = 0 }: Form): Outline {
  const waves = ORDERS.map((order) => ({ order, height: bend * random.range(0, 2 / order), phase: random.range(0, 2 * Math.PI) }))
  const radii = Float64Array.from({ length: ANGLES }, (_, i) => {
    const angle = 2 * Math.PI * i / ANGLES
    const ellipse = 1 / Math.hypot(Math.cos(angle - turn) / halfWidth, Math.sin(angle - turn) / halfHeight)
    return ellipse * waves.reduce((factor, { order, height, phase }) => factor + height * Math.cos(order * angle + phase), 1)
  })
  return { x, y, reach: Math.max(...radii), radius: (angle) => between(radii, angle) }
}

/** Linear between the angles of the table. */
function between (radii: Float64Array, angle: number): number {
  const place = (angle / (2 * Math.PI) + 2) * ANGLES
  const low = Math.floor(place)
  const [from, to] = [radii[low % ANGLES]!, radii[(low + 1) % ANGLES]!]
  return from + (to - from) * (place - low)
}

/** How deep (x, y) lies inside the outline, along the ray from its centre: pixels, negative outside. */
export function depthIn (outline: Outline, x: number, y: number): number {
  const [dx, dy] = [x - outline.x, y - outline.y]
  return outline.radius(Math.atan2(dy, dx)) - Math.hypot(dx, dy)
}

/** How far from the centre to the outline (x, y) lies: 0 in the centre, 1 on the line. */
export function shareOf (outline: Outline, x: number, y: number): number {
  const [dx, dy] = [x - outline.x, y - outline.y]
  return Math.hypot(dx, dy) / outline.radius(Math.atan2(dy, dx))
}

/** 0 outside, 1 inside, a smooth edge of this width between them. */
export function cover (depth: number, width: number): number {
  const t = Math.min(1, Math.max(0, depth / width + 0.5))
  return t * t * (3 - 2 * t)
}

/** cover() of the depth in an outline, quick where (x, y) is far from it. */
export function coverOf (outline: Outline, x: number, y: number, width: number, margin = 0): number {
  if (Math.hypot(x - outline.x, y - outline.y) > outline.reach + margin + width) return 0
  return cover(depthIn(outline, x, y) + margin, width)
}

/** 1 where the outline's inside holds the pixel's centre, else 0; side × side. */
export function fillOutline (outline: Outline, side: number): Uint8Array {
  return Uint8Array.from({ length: side * side }, (_, i) => depthIn(outline, i % side + 0.5, Math.floor(i / side) + 0.5) > 0 ? 1 : 0)
}

/** Draws a bump of Gaussian cross-section into `plane` where it is higher than what is there. */
export function stamp (
  plane: Float32Array,
  side: number,
  { x, y, width, height }: { x: number, y: number, width: number, height: number }
): void {
  const reach = Math.ceil(2.5 * width)
  for (let row = Math.max(0, Math.floor(y) - reach); row <= Math.min(side - 1, Math.floor(y) + reach); row++) {
    for (let column = Math.max(0, Math.floor(x) - reach); column <= Math.min(side - 1, Math.floor(x) + reach); column++) {
      const value = height * Math.exp(-((column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2) / (width * width))
      const at = row * side + column
      if (value > plane[at]!) plane[at] = value
    }
  }
}
