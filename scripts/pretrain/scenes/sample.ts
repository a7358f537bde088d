import { maskBounds } from '../../../src/model/train/box-prompts.ts'
import { streamRandom } from './random.ts'
import type { Random } from './random.ts'
import { render } from './render.ts'
import { drawScene, maskOf, objects } from './scene.ts'
import type { Scene } from './scene.ts'

/** A mask to predict, 1 inside and 0 outside, side × side. */
type Mask = Uint8Array

type Point = readonly [x: number, y: number]

type Box = [left: number, top: number, right: number, bottom: number]

/** One image with a task for each kind of prompt; coordinates in pixels, x before y. */
export interface Sample {
  readonly side: number
  /** The content is height × width at the top left; what lies beyond is padding and means nothing. */
  readonly height: number
  readonly width: number
  /** side × side, 0..255. */
  readonly image: Uint8Array
  /** Without a prompt the object meant is the largest one. */
  readonly none: { readonly mask: Mask }
  /** The object meant is the innermost one that holds the point; half the time a second point says what is not meant. */
  readonly point: { readonly mask: Mask, readonly at: Point, readonly outside?: Point }
  /** The object meant is the one that the box fits; its sides are off by up to a twentieth of the object's size. */
  readonly box: { readonly mask: Mask, readonly at: Readonly<Box> }
}

/** A pixel of the object that is in none of its inner objects; of several draws the one deepest inside. */
function drawPoint (random: Random, labels: Uint8Array, side: number, label: number): Point | undefined {
  const own: number[] = []
  for (let p = 0; p < labels.length; p++) if (labels[p] === label) own.push(p)
  if (own.length === 0) return undefined
  let best = random.pick(own)
  for (let draws = 0, deepest = -1; draws < 6; draws++) {
    const at = random.pick(own)
    const near = [-2 * side, -2, 2, 2 * side].filter((offset) => labels[at + offset] === label).length
    if (near > deepest) [best, deepest] = [at, near]
  }
  return [best % side, Math.floor(best / side)]
}

/** A pixel of the content that is not in the mask; undefined where a few draws find none. */
function drawOutside (random: Random, mask: Mask, { side, height, width }: Scene): Point | undefined {
  for (let draws = 0; draws < 20; draws++) {
    const [x, y] = [random.integer(0, width - 1), random.integer(0, height - 1)]
    if (mask[y * side + x] === 0) return [x, y]
  }
  return undefined
}

function drawBox (random: Random, mask: Mask, side: number): Box {
  const box = maskBounds({ mask, fittedHeight: side, fittedWidth: side })
  const slack = 0.05 * Math.max(box[2] - box[0], box[3] - box[1])
  const jitter = (value: number): number => Math.min(side - 1, Math.max(0, value + random.range(-slack, slack)))
  return [jitter(box[0]), jitter(box[1]), jitter(box[2]), jitter(box[3])]
}

/** Item `index` of the endless stream `seed`. */
export function drawSample (seed: number, index: number, side: number): Sample {
  const random = streamRandom(seed, index)
  const scene = drawScene(random, side)
  const image = render(random, scene)
  const all = objects(scene)
  let pointed = random.pick(all).label
  let at = drawPoint(random, scene.labels, side, pointed)
  while (at === undefined) {
    pointed = random.pick(all).label
    at = drawPoint(random, scene.labels, side, pointed)
  }
  const mask = maskOf(scene, pointed)
  const outside = random.chance(0.5) ? drawOutside(random, mask, scene) : undefined
  const boxed = maskOf(scene, random.pick(all).label)
  return {
    side,
    height: scene.height,
    width: scene.width,
    image,
    none: { mask: maskOf(scene, all[0]!.label) },
    point: { mask, at, ...(outside == null ? {} : { outside }) },
    box: { mask: boxed, at: drawBox(random, boxed, side) }
  }
}
