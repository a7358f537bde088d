import type { Random } from '../../common/random.ts'
import type { Fitted } from '../types.ts'
import { move, type Motion } from './motions.ts'

export interface AugmentOptions {
  /** mirror left–right and top–bottom, each with probability ½; default true */
  readonly flips?: boolean
  /** turn by 0, 90, 180 or 270 degrees; default true */
  readonly turns?: boolean
  /** brightness is multiplied by 1 ± this much; default 0.1 */
  readonly intensity?: number
}

/**
 * Moves image and mask alike and changes the brightness of the image; the content stays at the top left of the canvas.
 * Four numbers are drawn whatever the options, so that switching one off leaves the others as they were.
 */
export function augment (fitted: Fitted, random: Random, { flips = true, turns = true, intensity = 0.1 }: AugmentOptions = {}): Fitted {
  const [flipX, flipY, turn, light] = [random(), random(), random(), random()]
  // Every flip followed by every quarter turn is one of the eight motions of a square: two mirrors and a transposition.
  const motion = {
    mirrorX: flips && flipX < 0.5,
    mirrorY: flips && flipY < 0.5,
    transpose: false
  }
  const moved = move(fitted, turnBy(motion, turns ? Math.floor(turn * 4) : 0))
  return { ...moved, image: brighten(moved.image, 1 + (light * 2 - 1) * intensity) }
}

/** The motion, then `quarters` clockwise quarter turns, each a transposition and a left–right mirror. */
function turnBy (motion: Motion, quarters: number): Motion {
  if (quarters === 0) return motion
  const { mirrorX, mirrorY, transpose } = motion
  return turnBy({ mirrorX: !mirrorY, mirrorY: mirrorX, transpose: !transpose }, quarters - 1)
}

function brighten (image: Uint8Array, gain: number): Uint8Array {
  const table = Uint8Array.from({ length: 256 }, (_, value) => Math.min(255, Math.round(value * gain)))
  return image.map((value) => table[value]!)
}
