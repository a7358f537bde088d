import type { Random } from '../../../scripts/pretrain/scenes/random.ts'
import { stamp } from './shape.ts'

/** A tree of vessels to draw, in pixels and radians. */
interface Branch {
  readonly x: number
  readonly y: number
  readonly angle: number
  readonly width: number
  /** Turn per pixel. */
  readonly curve: number
  readonly length: number
}

const STEP = 0.6
const THINNEST = 0.45

/** Draws a winding vessel that thins out and branches into `plane`, as 0..1. */
export function drawVessel (plane: Float32Array, side: number, random: Random, branch: Branch): void {
  const winding = random.range(0.02, 0.06)
  const wave = random.range(0.12, 0.3)
  const phase = random.range(0, 2 * Math.PI)
  let { x, y, angle, width } = branch
  for (let run = 0; run < branch.length && width > THINNEST; run += STEP) {
    stamp(plane, side, { x, y, width, height: Math.min(1, 0.55 + 0.2 * width) })
    angle += STEP * (branch.curve + winding * Math.sin(wave * run + phase))
    x += STEP * Math.cos(angle)
    y += STEP * Math.sin(angle)
    width *= 1 - 0.004 * STEP
    if (run > 6 && random.chance(0.02 * STEP)) {
      const away = random.pick([-1, 1])
      drawVessel(plane, side, random, {
        x,
        y,
        angle: angle + away * random.range(0.4, 0.9),
        width: width * random.range(0.5, 0.8),
        curve: -away * random.range(0, 0.012),
        length: branch.length - run
      })
    }
  }
}
