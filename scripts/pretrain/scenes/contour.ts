import type { Random } from './random.ts'

/** A star-shaped outline: distance from the centre, in pixels, at ANGLES equal steps of the angle. */
export interface Contour {
  readonly x: number
  readonly y: number
  readonly radii: Float32Array
}

const ANGLES = 64
const COS = Float32Array.from({ length: ANGLES }, (_, i) => Math.cos(2 * Math.PI * i / ANGLES))
const SIN = Float32Array.from({ length: ANGLES }, (_, i) => Math.sin(2 * Math.PI * i / ANGLES))

interface Wobble { readonly from: number, readonly to: number, readonly amplitude: number }

/** Multiplies the radii by a random Fourier series of orders from..to, whose amplitude falls with the order. */
function wobble (radii: Float32Array, random: Random, { from, to, amplitude }: Wobble): void {
  const factor = new Float32Array(ANGLES).fill(1)
  for (let order = from; order <= to; order++) {
    const height = random.range(0, amplitude) * from / order
    const phase = random.integer(0, ANGLES - 1)
    for (let i = 0; i < ANGLES; i++) factor[i]! += height * COS[(order * i + phase) % ANGLES]!
  }
  for (let i = 0; i < ANGLES; i++) radii[i]! *= Math.max(0.15, factor[i]!)
}

/**
 * A smooth organ-like outline: a turned superellipse of mean radius about `radius`, bent by low orders and sometimes folded like a
 * cortex.
 */
export function blob (random: Random, x: number, y: number, radius: number, bend = 0.22): Contour {
  const aspect = random.range(0.55, 1)
  const power = random.range(1.7, 3.2)
  const turn = random.integer(0, ANGLES - 1)
  const a = radius / Math.sqrt(aspect)
  const b = radius * Math.sqrt(aspect)
  const radii = Float32Array.from({ length: ANGLES }, (_, i) => {
    const j = (i + turn) % ANGLES
    return (Math.abs(COS[j]! / a) ** power + Math.abs(SIN[j]! / b) ** power) ** (-1 / power)
  })
  wobble(radii, random, { from: 2, to: 5, amplitude: bend })
  if (random.chance(0.25)) wobble(radii, random, { from: 8, to: 14, amplitude: 0.05 })
  return { x, y, radii }
}

/** A layer under an outline: the same form, smaller by `factor`, not quite parallel to it. */
export function shell (random: Random, outer: Contour, factor: number): Contour {
  const radii = outer.radii.map((radius) => radius * factor)
  wobble(radii, random, { from: 1, to: 6, amplitude: 0.6 * (1 - factor) })
  if (random.chance(0.3)) wobble(radii, random, { from: 8, to: 14, amplitude: 0.04 })
  return { ...outer, radii: radii.map((radius, i) => Math.min(radius, outer.radii[i]! - 1)) }
}

/** The outline's corners as x, y pairs, in pixels. */
export function corners ({ x, y, radii }: Contour): Float32Array {
  const points = new Float32Array(2 * ANGLES)
  for (let i = 0; i < ANGLES; i++) {
    points[2 * i] = x + radii[i]! * COS[i]!
    points[2 * i + 1] = y + radii[i]! * SIN[i]!
  }
  return points
}
