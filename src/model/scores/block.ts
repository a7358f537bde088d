/** A mask as labels, row-major; every label > 0 is foreground. */
export type LabelMap = ArrayLike<number>

/** Truth and prediction of 1 and 0 on one grid of two or three axes, the slowest first. */
export interface Block {
  readonly shape: readonly number[]
  readonly truth: Uint8Array
  readonly prediction: Uint8Array
}

/** A block with nothing marked at its faces: everything marked has all its neighbours. */
export type Padded = Block & { readonly padded: true }

/** Cut to the box that holds all of truth and prediction, and one more all around; undefined where both are empty. */
export function cropped ({ shape, truth, prediction }: Block): Padded | undefined {
  const box = boundingBox(shape, truth, prediction)
  if (box == null) return undefined
  const sides = shape.map((_, axis) => box.last[axis]! - box.first[axis]! + 3)
  const cut = (mask: Uint8Array): Uint8Array => {
    const out = new Uint8Array(sizeOf(sides))
    copy(mask, shape, box, out, sides)
    return out
  }
  return { shape: sides, truth: cut(truth), prediction: cut(prediction), padded: true }
}

/** How many places a grid has. */
function sizeOf (shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1)
}

/** From one place to the next along each axis. */
export function stridesOf (shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
}

interface Box { readonly first: number[], readonly last: number[] }

function boundingBox (shape: readonly number[], truth: Uint8Array, prediction: Uint8Array): Box | undefined {
  const box = { first: shape.map(() => Infinity), last: shape.map(() => -1) }
  const strides = stridesOf(shape)
  const width = shape.at(-1)!
  for (let line = 0; line < truth.length; line += width) {
    let [from, to] = [0, width - 1]
    while (from < width && (truth[line + from]! | prediction[line + from]!) === 0) from++
    if (from === width) continue
    while ((truth[line + to]! | prediction[line + to]!) === 0) to--
    shape.forEach((side, axis) => {
      const isLast = axis === shape.length - 1
      const at = Math.floor(line / strides[axis]!) % side
      box.first[axis] = Math.min(box.first[axis]!, isLast ? from : at)
      box.last[axis] = Math.max(box.last[axis]!, isLast ? to : at)
    })
  }
  return box.last[0] === -1 ? undefined : box
}

/** The box of a mask into the middle of a grid that is larger by one on all sides, line by line. */
function copy (mask: Uint8Array, shape: readonly number[], { first, last }: Box, out: Uint8Array, sides: readonly number[]): void {
  const [from, to] = [stridesOf(shape), stridesOf(sides)]
  const walk = (axis: number, source: number, target: number): void => {
    if (axis === shape.length - 1) {
      out.set(mask.subarray(source + first[axis]!, source + last[axis]! + 1), target + 1)
      return
    }
    for (let at = first[axis]!; at <= last[axis]!; at++) {
      walk(axis + 1, source + at * from[axis]!, target + (at - first[axis]! + 1) * to[axis]!)
    }
  }
  walk(0, 0, 0)
}
