import { normal, type Random } from '../../common/random.ts'
import { UNKNOWN } from '../labels/label-map.ts'
import type { Fitted } from '../types.ts'
import { smoothField } from './smooth-field.ts'

/** Half the range of each motion; lengths in parts of the longer side (the baseline of GIN's code, at 192 pixels). */
const TURN = 20 * Math.PI / 180
const SHIFT = 15 / 192
const SHEAR = 20 * Math.PI / 180
const [LEAST_ZOOM, MOST_ZOOM] = [0.5, 1.5]
const ELASTIC = 20 / 192
/** Control points of the elastic field lie so far apart. */
const ELASTIC_EVERY = 1 / 8
const [LEAST_CONTRAST, MOST_CONTRAST] = [0.6, 1.5]
const [LEAST_GAMMA, MOST_GAMMA] = [0.2, 1.8]
/** Of brightness in 0..1. */
const NOISE = 0.15

type Map = (x: number, y: number) => readonly [x: number, y: number]

/**
 * Turned, shifted, sheared, zoomed and bent, image and mask alike; then contrast, gamma and noise of the image. Where nothing comes from
 * inside, the image is 0 and the mask background, or not known where it is no whole mask.
 */
export function strongView (fitted: Fitted, random: Random): Fitted {
  // Points and boxes have no place in a bent image.
  const { given: _given, ...shown } = fitted
  const map = drawMotion(shown, random)
  const moved = moveBy(shown, map)
  return { ...moved, image: drawLook(moved.image, random) }
}

/** From where each pixel of the view comes. */
function drawMotion ({ fittedHeight: height, fittedWidth: width, side }: Fitted, random: Random): Map {
  const around = (half: number): number => within(-half, half, random)
  const [turn, shear, zoom] = [around(TURN), Math.tan(around(SHEAR)), within(LEAST_ZOOM, MOST_ZOOM, random)]
  const [shiftX, shiftY] = [around(SHIFT) * side, around(SHIFT) * side]
  const [cos, sin] = [Math.cos(turn) / zoom, Math.sin(turn) / zoom]
  const bend = [0, 1].map(() => smoothField({ height, width, every: Math.max(2, ELASTIC_EVERY * side) }, () => around(ELASTIC * side / 2)))
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2]
  return (x, y) => {
    const [dx, dy] = [x - middleX - shiftX, y - middleY - shiftY]
    const at = y * width + x
    return [
      middleX + cos * (dx + shear * dy) + sin * dy + bend[0]![at]!,
      middleY - sin * (dx + shear * dy) + cos * dy + bend[1]![at]!
    ]
  }
}

function moveBy (fitted: Fitted, map: Map): Fitted {
  const { fittedHeight: height, fittedWidth: width, channels, image, mask, shares, kind, marks } = fitted
  const moved = new Uint8Array(image.length)
  const labels = { from: mask, to: new Uint8Array(mask.length).fill(kind == null ? 0 : UNKNOWN) }
  const strokes = marks == null ? [] : [{ from: marks, to: new Uint8Array(marks.length).fill(UNKNOWN) }]
  const parts = new Map([...shares ?? []].map(([label, share]) => [label, emptied(share)]))
  const guesses = emptiedGuesses(fitted)
  const smooth = [...parts.values(), ...guesses.flatMap((each) => Object.values(each))]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromX, fromY] = map(x, y)
      const to = y * width + x
      const [nearX, nearY] = [Math.round(fromX), Math.round(fromY)]
      if (!isWithin(nearX, width) || !isWithin(nearY, height)) continue
      for (const plane of [labels, ...strokes]) plane.to[to] = plane.from[nearY * width + nearX]!
      for (let c = 0; c < channels; c++) moved[to * channels + c] = between(image, { width, height, channels, c }, fromX, fromY)
      for (const { from, to: share } of smooth) share[to] = between(from, { width, height, channels: 1, c: 0 }, fromX, fromY)
    }
  }
  return {
    ...fitted,
    image: moved,
    mask: labels.to,
    ...Object.assign({}, ...strokes.map((plane) => ({ marks: plane.to }))) as Pick<Fitted, 'marks'>,
    ...(shares == null ? {} : { shares: new Map([...parts].map(([label, { to }]) => [label, to])) }),
    ...movedGuesses(guesses)
  }
}

interface Moving { readonly from: Uint8Array, readonly to: Uint8Array }
type Guesses = ReadonlyArray<Readonly<Record<'shares' | 'certainty', Moving>>>

function emptiedGuesses ({ pseudo = [] }: Fitted): Guesses {
  return pseudo.map(({ shares, certainty }) => ({ shares: emptied(shares), certainty: emptied(certainty) }))
}

function movedGuesses (guesses: Guesses): Pick<Fitted, 'pseudo'> {
  return guesses.length === 0 ? {} : { pseudo: guesses.map(({ shares, certainty }) => ({ shares: shares.to, certainty: certainty.to })) }
}

/** A plane, and room for what becomes of it. */
function emptied (from: Uint8Array): Moving {
  return { from, to: new Uint8Array(from.length) }
}

function isWithin (at: number, count: number): boolean {
  return at >= 0 && at < count
}

/** Bilinear; beyond the border the border goes on. */
function between (
  values: Uint8Array,
  { width, height, channels, c }: { width: number, height: number, channels: number, c: number },
  x: number,
  y: number
): number {
  const [left, top] = [Math.floor(x), Math.floor(y)]
  const value = (column: number, row: number): number =>
    values[(Math.min(height - 1, Math.max(0, row)) * width + Math.min(width - 1, Math.max(0, column))) * channels + c]!
  const [right, down] = [x - left, y - top]
  const upper = value(left, top) * (1 - right) + value(left + 1, top) * right
  const lower = value(left, top + 1) * (1 - right) + value(left + 1, top + 1) * right
  return Math.round(upper * (1 - down) + lower * down)
}

function within (least: number, most: number, random: Random): number {
  return least + (most - least) * random()
}

function drawLook (image: Uint8Array, random: Random): Uint8Array {
  const [contrast, gamma] = [within(LEAST_CONTRAST, MOST_CONTRAST, random), within(LEAST_GAMMA, MOST_GAMMA, random)]
  const noise = NOISE * random()
  const mean = image.reduce((sum, value) => sum + value, 0) / (255 * image.length)
  return image.map((value) => {
    const light = Math.min(1, Math.max(0, (value / 255 - mean) * contrast + mean)) ** gamma
    return Math.round(255 * Math.min(1, Math.max(0, light + noise * normal(random))))
  })
}
