import { addDecoder, BaseDecoder } from 'geotiff'
import { InputError } from '../../errors.ts'
import { DAMAGED } from './samples.ts'

const LZW = 5
const [CLEAR, END, CODES] = [256, 257, 4096]
const NARROW = 9
const WIDE = 12
const MAX_BYTES = 2 ** 30

/** geotiff 3.0.5 follows a damaged table in a circle until the heap is full. */
export function useOwnLzw (): void {
  addDecoder(LZW, async () => await Promise.resolve(Lzw))
}

class Lzw extends BaseDecoder {
  override decodeBlock (block: ArrayBuffer): ArrayBuffer {
    return unpackLzw(new Uint8Array(block)).buffer
  }
}

/** TIFF 6.0, section 13. @throws InputError for codes that no table has */
function unpackLzw (input: Uint8Array): Uint8Array<ArrayBuffer> {
  const table = new Table()
  let [out, at, before, bits, held] = [new Uint8Array(4 * input.length + CODES), 0, -1, 0, 0]
  for (const byte of input) {
    bits = (bits << 8 | byte) & 0xfffff
    held += 8
    if (held < table.width) continue
    held -= table.width
    const code = bits >> held & (1 << table.width) - 1
    if (code === END) break
    if (code === CLEAR) {
      table.clear()
      before = -1
      continue
    }
    if (at + CODES > out.length) out = grown(out)
    at += table.write(code, before, out, at)
    before = code
  }
  return out.slice(0, at)
}

function grown (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length >= MAX_BYTES) throw new InputError(DAMAGED)
  const larger = new Uint8Array(2 * bytes.length)
  larger.set(bytes)
  return larger
}

/** Every entry goes on from one before it, so that none goes in a circle. */
class Table {
  width = NARROW
  readonly #prefix = new Uint16Array(CODES)
  readonly #suffix = new Uint8Array(CODES)
  readonly #lengths = new Uint16Array(CODES).fill(1, 0, CLEAR)
  #next = END + 1

  clear (): void {
    this.width = NARROW
    this.#next = END + 1
  }

  /** Writes what the code means after the code before, which makes a new entry; returns how many bytes that were. */
  write (code: number, before: number, out: Uint8Array, at: number): number {
    const isNew = code === this.#next && before >= 0
    if (!isNew && code >= this.#next) throw new InputError(DAMAGED)
    const length = isNew ? this.#lengths[before]! + 1 : this.#lengths[code]!
    let from = isNew ? before : code
    for (let place = at + length - (isNew ? 2 : 1); from > END; from = this.#prefix[from]!) out[place--] = this.#suffix[from]!
    out[at] = from
    if (isNew) out[at + length - 1] = from
    if (before >= 0 && this.#next < CODES) this.#add(before, from)
    return length
  }

  #add (prefix: number, suffix: number): void {
    this.#prefix[this.#next] = prefix
    this.#suffix[this.#next] = suffix
    this.#lengths[this.#next++] = this.#lengths[prefix]! + 1
    if (this.#next + 1 >= 1 << this.width && this.width < WIDE) this.width++
  }
}
