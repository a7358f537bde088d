import { branched, seededRandom, shuffled, type Random } from '../common/random.ts'
import { UNKNOWN, type LabelKind, type Slice } from '../dataset/index.ts'
import { visitDistances } from '../model/scores/distance-transform.ts'

/** What somebody simulated draws who does not outline. */
export type MarkKind = Extract<LabelKind, 'block' | 'scribble' | 'points' | 'box'>

/** Site after site, as FedICRA's authors have it (docs/spec/weak.md#simulated-annotators). */
export const KINDS_IN_TURN: readonly MarkKind[] = ['scribble', 'points', 'box', 'block']

type Masked = Pick<Slice, 'height' | 'width' | 'mask'>
type Annotated = Required<Pick<Slice, 'mask' | 'kind' | 'marks'>>

/** Pixels of a picture of NORMAL_SIDE: how far from the organ somebody clicks who means the background. */
const CLEAR = 6
const NORMAL_SIDE = 128
/** Pixels: a stroke keeps so far from the edge, where the organ is wide enough. */
const INNER = 2
/** Of the square root of the organ's area: so long is the stroke in it; the one outside twice as long. */
const STROKE = 0.6
/** Of a box's sides, by which each lies wrong at most. */
const SLOPPY = 0.05
/** Of the organ's box, the area of a block in it; one outside is twice as large. */
const BLOCK = 0.25
const OUTSIDE = 2
const TRIES = 50

/** The pixels of one organ, or of what is none. */
interface Region extends Masked {
  readonly code: number
  readonly pixels: readonly number[]
  /** By pixel, how far the nearest one is that is not in it. */
  readonly depth: Float64Array
}

/**
 * What a mask becomes in the hands of an annotator who marks each organ of it, and the background, in one of four ways; the same random
 * numbers, the same marks. Simulated: no radiographer draws like this.
 */
export function annotated (slice: Masked, kind: MarkKind, random: Random): Annotated {
  const { mask, height, width } = slice
  const codes = [...new Set(mask)].filter((code) => code > 0 && code !== UNKNOWN).sort((a, b) => a - b)
  const organs = codes.map((code) => regionOf(slice, code))
  const drawn = new Uint8Array(height * width).fill(UNKNOWN)
  const marks = { points: [] as Point[], boxes: [] as Box[] }
  const around = regionOf(slice, 0)
  for (const organ of organs) {
    switch (kind) {
      case 'points': marks.points.push(middle(organ), ...clicksOutside(around, random)); break
      case 'box': marks.boxes.push(sloppyBox(organ, random)); break
      case 'scribble': scribble(organ, around, drawn, random); break
      case 'block': blocks(organ, around, drawn, random); break
    }
  }
  return { kind, mask: drawn, marks }
}

type Point = Annotated['marks']['points'][number]
type Box = Annotated['marks']['boxes'][number]

function regionOf ({ mask, height, width }: Masked, code: number): Region {
  const others = mask.map((each) => Number(each !== code))
  const depth = new Float64Array(mask.length)
  visitDistances(others, [1, height, width], [1, 1, 1], (squared, begin) => {
    squared.forEach((each, i) => { depth[begin + i] = Math.sqrt(each) })
  })
  return { mask, height, width, code, depth, pixels: Array.from(mask.keys()).filter((i) => mask[i] === code) }
}

/** The first of those that lie deepest. */
function deepest ({ pixels, depth }: Region): number {
  return pixels.reduce((best, each) => depth[each]! > depth[best]! ? each : best, pixels[0]!)
}

function middle (organ: Region): Point {
  const at = deepest(organ)
  return [at % organ.width, Math.floor(at / organ.width), organ.code]
}

function clicksOutside (around: Region, random: Random): Point[] {
  const { pixels, depth, height, width, code } = around
  const clear = CLEAR * Math.max(height, width) / NORMAL_SIDE
  const far = pixels.filter((each) => depth[each]! >= clear)
  const from = far.length > 0 ? far : pixels
  if (from.length === 0) return []
  return [0, 1].map(() => {
    const at = from[Math.floor(random() * from.length)]!
    return [at % width, Math.floor(at / width), code]
  })
}

interface Bounds { readonly x0: number, readonly y0: number, readonly x1: number, readonly y1: number }

/** Edges, whole numbers. */
function boundsOf ({ pixels, width }: Region): Bounds {
  const [xs, ys] = [pixels.map((each) => each % width), pixels.map((each) => Math.floor(each / width))]
  const least = (all: readonly number[]): number => all.reduce((a, b) => Math.min(a, b))
  const most = (all: readonly number[]): number => all.reduce((a, b) => Math.max(a, b)) + 1
  return { x0: least(xs), y0: least(ys), x1: most(xs), y1: most(ys) }
}

function sloppyBox (organ: Region, random: Random): Box {
  const { x0, y0, x1, y1 } = boundsOf(organ)
  const off = (at: number, side: number, most: number): number =>
    Math.min(most, Math.max(0, Math.round(at + SLOPPY * side * (2 * random() - 1))))
  const [width, height] = [x1 - x0, y1 - y0]
  const [left, top] = [off(x0, width, organ.width - 1), off(y0, height, organ.height - 1)]
  const [right, bottom] = [off(x1, width, organ.width), off(y1, height, organ.height)]
  return [left, top, Math.max(left + 1, right), Math.max(top + 1, bottom), organ.code]
}

function scribble (organ: Region, around: Region, drawn: Uint8Array, random: Random): void {
  const length = Math.max(1, Math.round(STROKE * Math.sqrt(organ.pixels.length)))
  stroke(organ, deepest(organ), length, drawn, random)
  const [start] = clicksOutside(around, random)
  if (start != null) stroke(around, start[1] * around.width + start[0], OUTSIDE * length, drawn, random)
}

/** A walk that mostly goes on as it went, and turns where it would come too near to the edge. */
function stroke ({ code, mask, depth, height, width }: Region, start: number, length: number, drawn: Uint8Array, random: Random): void {
  const near = Math.min(INNER, depth[start]!)
  let [x, y, angle] = [start % width, Math.floor(start / width), 2 * Math.PI * random()]
  drawn[start] = code
  for (let step = 1, tries = 0; step < length && tries < TRIES; tries++) {
    const turned = angle + random() - 0.5
    const [toX, toY] = [Math.round(x + Math.cos(turned)), Math.round(y + Math.sin(turned))]
    const to = toY * width + toX
    const isFree = toX >= 0 && toY >= 0 && toX < width && toY < height && mask[to] === code && depth[to]! >= near
    angle = isFree ? turned : 2 * Math.PI * random()
    if (!isFree) continue
    ;[x, y, step, tries] = [toX, toY, step + 1, 0]
    drawn[to] = code
  }
}

function blocks (organ: Region, around: Region, drawn: Uint8Array, random: Random): void {
  const { x0, y0, x1, y1 } = boundsOf(organ)
  const [width, height] = [x1 - x0, y1 - y0].map((side) => Math.max(1, Math.round(side * Math.sqrt(BLOCK)))) as [number, number]
  const at = deepest(organ)
  block(organ, at, { width, height }, drawn)
  const larger = { width: Math.round(width * Math.sqrt(OUTSIDE)), height: Math.round(height * Math.sqrt(OUTSIDE)) }
  for (const [x, y] of clicksOutside(around, random)) block(organ, y * organ.width + x, larger, drawn)
}

/** Within it all is known, whatever it is. */
function block (
  { mask, height, width }: Masked,
  centre: number,
  size: { readonly width: number, readonly height: number },
  drawn: Uint8Array
): void {
  const [left, top] = [(centre % width) - Math.floor(size.width / 2), Math.floor(centre / width) - Math.floor(size.height / 2)]
  for (let y = Math.max(0, top); y < Math.min(height, top + size.height); y++) {
    for (let x = Math.max(0, left); x < Math.min(width, left + size.width); x++) drawn[y * width + x] = mask[y * width + x]!
  }
}

/**
 * What of a data set's training images has labels: `mixed-weak`, site after site one kind of marks; `few:SHARE`, that share of patients
 * masks, and the others nothing.
 */
export type Labelling = 'mixed-weak' | `few:${number}`

/** @returns undefined for what is none */
export function parseLabelling (text: string): Labelling | undefined {
  if (text === 'mixed-weak') return text
  const share = Number(/^few:(0?\.\d+)$/.exec(text)?.[1])
  return share > 0 && share < 1 ? `few:${share}` : undefined
}

/** By what a site marks its training images; undefined where nobody marks anything but whole masks. */
export function kindAt (labelling: Labelling | undefined, site: number): MarkKind | undefined {
  return labelling === 'mixed-weak' ? KINDS_IN_TURN[site % KINDS_IN_TURN.length]! : undefined
}

/** Stream of the site's seed in which annotators draw. */
const ANNOTATOR = 0x616e

interface Labelled {
  /** Among the sites, from 0. */
  readonly site: number
  readonly seed: number
}

/** A site's training slices with the labels that `labelling` leaves of their masks. */
export function withLabelling (slices: readonly Slice[], labelling: Labelling, { site, seed }: Labelled): Slice[] {
  const random = seededRandom(seed * 1_000 + site, ANNOTATOR)
  const kind = kindAt(labelling, site)
  if (kind != null) return slices.map((slice) => ({ ...slice, ...annotated(slice, kind, branched(random)) }))
  const patients = shuffled([...new Set(slices.map(({ subject }) => subject))], random)
  const masked = new Set(patients.slice(0, Math.max(1, Math.round(Number(labelling.slice('few:'.length)) * patients.length))))
  return slices.map((slice) => masked.has(slice.subject) ? slice : unlabelled(slice))
}

/** The same image, of which nothing is known. */
export function unlabelled (slice: Slice): Slice {
  return { ...slice, mask: new Uint8Array(slice.mask.length).fill(UNKNOWN), kind: 'none' }
}
