import type { HostRecord } from '../../src/compute/index.ts'
import type { AttackerSteps } from './attacker-steps.ts'
import { dot, norm } from './directions.ts'

/** What the attacker has: the vector from which the victim began, and the change that it saw. */
export interface Clue {
  readonly from: Float32Array
  readonly change: Float32Array
}

export interface Inversion {
  readonly steps: AttackerSteps
  /** Mask and shape are the victim's own: an attacker who is given them is stronger than a real one. */
  readonly fed: HostRecord
  /** Where it begins: the mean of the attacker's own images. */
  readonly guess: Float32Array
  readonly iterations: number
}

/** Adam's, and how much neighbours that differ cost. */
const [RATE, FIRST, SECOND, SMOOTH] = [0.05, 0.9, 0.999, 0.1]
/** How far to either side the gradient is taken to see how it changes. */
const NUDGE = 0.01

/**
 * An image whose gradient points where the victim's change points (Geiping 2020, by cosine and total variation). How the gradient changes
 * with the image is the difference of two gradients by the image, at adapters a little to either side.
 */
export async function invert ({ from, change }: Clue, { steps, fed, guess, iterations }: Inversion): Promise<Float32Array> {
  const goal = unit(change.map((value) => -value))
  const { shape } = fed['@images']!
  const [picture, first, second] = [guess.slice(), new Float64Array(guess.length), new Float64Array(guess.length)]
  for (let k = 1; k <= iterations; k++) {
    const shown = { ...fed, '@images': { shape, data: picture.slice() } }
    const gradient = await byImage(steps, { from, goal }, shown)
    smooth(picture, gradient, 3 * shape[2]!)
    const rate = RATE * (1 - k / (iterations + 1))
    for (const [i, slope] of gradient.entries()) {
      first[i] = FIRST * first[i]! + (1 - FIRST) * slope
      second[i] = SECOND * second[i]! + (1 - SECOND) * slope ** 2
      const [mean, deviation] = [first[i] / (1 - FIRST ** k), Math.sqrt(second[i] / (1 - SECOND ** k))]
      picture[i]! -= deviation > 0 ? rate * mean / deviation : 0
    }
  }
  return picture
}

/** Of 1 − cos(gradient, goal) by the image. */
async function byImage (
  steps: AttackerSteps,
  { from, goal }: { readonly from: Float32Array, readonly goal: Float32Array },
  shown: HostRecord
): Promise<Float32Array> {
  const { gradient } = await steps.byAdapter(from, shown)
  const length = norm(gradient)
  if (!(length > 0 && length < Infinity)) return new Float32Array(shown['@images']!.data.length)
  const cosine = dot(gradient, goal) / length
  const residue = gradient.map((value, i) => (cosine * value / length - goal[i]!) / length)
  const size = norm(residue)
  const moved = (by: number): Float32Array => from.map((value, i) => value + (size === 0 ? 0 : by * residue[i]! / size))
  const up = (await steps.byPixels(moved(NUDGE), shown)).slice()
  const down = await steps.byPixels(moved(-NUDGE), shown)
  return up.map((value, i) => size * (value - down[i]!) / (2 * NUDGE))
}

/** Adds the slope of the mean difference of neighbours; rows hold `row` numbers, three of a pixel. */
function smooth (picture: Float32Array, gradient: Float32Array, row: number): void {
  for (const [i, value] of picture.entries()) {
    for (const next of [...((i + 3) % row < 3 ? [] : [i + 3]), i + row]) {
      if (next >= picture.length) continue
      const slope = Math.sign(value - picture[next]!) * SMOOTH / picture.length
      gradient[i]! += slope
      gradient[next]! -= slope
    }
  }
}

function unit (values: Float32Array): Float32Array {
  const length = norm(values)
  return values.map((value) => length > 0 ? value / length : 0)
}
