import { InputError } from '../../errors.ts'
import { DAMAGED } from './samples.ts'

const [END_OF_ROW, END, MOVE] = [0, 1, 2]

/** Indices of a BMP that stores runs (RLE8, or RLE4 where `half`), the last row first; what it skips is 0. @throws InputError */
export function readRuns (bytes: Uint8Array, width: number, height: number, half: boolean): Uint8Array {
  const data = new Uint8Array(width * height)
  let [x, y, at] = [0, height - 1, 0]
  const next = (): number => {
    if (at >= bytes.length) throw new InputError(DAMAGED)
    return bytes[at++]!
  }
  const put = (index: number): void => {
    if (x < width && y >= 0) data[y * width + x] = index
    x++
  }
  const putAll = (count: number, byteOf: (i: number) => number): void => {
    for (let i = 0; i < count; i++) put(half ? nibble(byteOf(i >> 1), i) : byteOf(i))
  }
  while (y >= 0) {
    const [count, code] = [next(), next()]
    if (count > 0) putAll(count, () => code)
    else if (code === END) break
    else if (code === END_OF_ROW) [x, y] = [0, y - 1]
    else if (code === MOVE) [x, y] = [x + next(), y - next()]
    else {
      const stored = Array.from({ length: half ? Math.ceil(code / 2) : code }, next)
      putAll(code, (i) => stored[i]!)
      // What is stored as it is ends on an even byte.
      if (stored.length % 2 === 1) at++
    }
  }
  return data
}

/** Two indices a byte, the higher half first. */
function nibble (byte: number, at: number): number {
  return at % 2 === 0 ? byte >> 4 : byte & 15
}
