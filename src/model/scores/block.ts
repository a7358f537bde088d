/** A mask as labels, row-major; every label > 0 is foreground. */
export type LabelMap = ArrayLike<number>

/** Truth and prediction of 1 and 0 on one grid of two or three axes, the slowest first. */
export interface Block {
  readonly shape: readonly number[]
  readonly truth: Uint8Array
  readonly prediction: Uint8Array
}

/** Truth and prediction cut to the box that holds all of both; undefined where both are empty. */
export function cropped ({ shape, truth, prediction }: Block): Block | undefined {
  const box = boundingBox(shape, (i) => truth[i] === 1 || prediction[i] === 1)
  if (box == null) return undefined
  const sides = shape.map((_, axis) => box.last[axis]! - box.first[axis]! + 1)
  const cut = (mask: Uint8Array): Uint8Array => {
    const out = new Uint8Array(sides.reduce((product, side) => product * side, 1))
    let at = 0
    eachLine(shape, box, (from, length) => {
      out.set(mask.subarray(from, from + length), at)
      at += length
    })
    return out
  }
  return { shape: sides, truth: cut(truth), prediction: cut(prediction) }
}

interface Box { readonly first: number[], readonly last: number[] }

function boundingBox (shape: readonly number[], isMarked: (index: number) => boolean): Box | undefined {
  const first = shape.map(() => Infinity)
  const last = shape.map(() => -1)
  const place = shape.map(() => 0)
  const count = shape.reduce((product, side) => product * side, 1)
  for (let i = 0; i < count; i++) {
    if (isMarked(i)) {
      for (const [axis, at] of place.entries()) {
        if (at < first[axis]!) first[axis] = at
        if (at > last[axis]!) last[axis] = at
      }
    }
    advance(place, shape)
  }
  return last[0] === -1 ? undefined : { first, last }
}

/** The next place, the last axis fastest. */
function advance (place: number[], shape: readonly number[]): void {
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place[axis] = place[axis]! + 1
    if (place[axis]! < shape[axis]!) return
    place[axis] = 0
  }
}

/** Lines of the box along the last axis, in order. */
function eachLine (shape: readonly number[], { first, last }: Box, use: (from: number, length: number) => void): void {
  const walk = (axis: number, base: number): void => {
    if (axis === shape.length - 1) {
      use(base * shape[axis]! + first[axis]!, last[axis]! - first[axis]! + 1)
      return
    }
    for (let at = first[axis]!; at <= last[axis]!; at++) walk(axis + 1, base * shape[axis]! + at)
  }
  walk(0, 0)
}
