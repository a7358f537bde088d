import type { Random } from '../../../scripts/pretrain/scenes/random.ts'
import { blur } from '../../../scripts/sample/shifts.ts'
import { normal } from '../../../src/common/random.ts'

/** What a fundus camera and its operator do to the colours of an eye. */
export interface Camera {
  /** Of red, green and blue. */
  readonly gains: readonly [number, number, number]
  readonly gamma: number
  /** How uneven the light is: across the picture, and from centre to edge. */
  readonly tilt: number
  readonly vignette: number
  /** Standard deviation of the blur, pixels at a side of 128: from … to. */
  readonly blur: readonly [number, number]
  /** Standard deviation of the sensor's noise, 1 being white. */
  readonly noise: number
  /** Radius of the round field as a share of the side; 1 shows no edge. */
  readonly aperture: number
}

const FULL_SIDE = 128

/** Planes in 0..1 as an 8-bit picture, interleaved. */
export function photograph (
  planes: readonly Float32Array[],
  side: number,
  camera: Camera,
  random: Random,
  noise: () => number
): Uint8Array {
  const sigma = random.range(...camera.blur) * side / FULL_SIDE
  const light = lighting(camera, random, side)
  const exposure = random.range(0.85, 1.12)
  const sharp = blur(sigma)({ height: side, width: side, slices: planes }).slices
  const image = new Uint8Array(3 * side * side)
  for (let i = 0; i < side * side; i++) {
    for (let c = 0; c < 3; c++) {
      const value = sharp[c]![i]! * light[i]! * exposure * camera.gains[c]! + camera.noise * normal(noise) * (light[i]! > 0 ? 1 : 0.3)
      image[3 * i + c] = Math.round(255 * Math.min(1, Math.max(0, value)) ** camera.gamma)
    }
  }
  return image
}

/** Factor of the brightness at every pixel; 0 outside the round field. */
function lighting ({ tilt, vignette, aperture }: Camera, random: Random, side: number): Float32Array {
  const angle = random.range(0, 2 * Math.PI)
  const strength = tilt * random.range(0.4, 1)
  const [centreX, centreY] = [random.range(-0.05, 0.05), random.range(-0.05, 0.05)]
  return Float32Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [(i % side + 0.5) / side - 0.5, (Math.floor(i / side) + 0.5) / side - 0.5]
    const out = Math.hypot(x - centreX, y - centreY)
    if (Math.hypot(x, y) > aperture) return 0
    return (1 + strength * (x * Math.cos(angle) + y * Math.sin(angle))) * (1 - vignette * (out / 0.7) ** 2)
  })
}
