import { ProtocolError } from '../../errors.ts'

/** No frame of any protocol is larger: one chunk. */
export const MAX_FRAME_BYTES = 262_144
/** Bytes of the varint before the largest frame. */
const MAX_LENGTH_BYTES = 3
/** Larger frames are assembled in one place: a fresh one for each costs more than the copying. */
const SMALL = 65_536

/** Cuts a stream of bytes, as the network delivers them, into frames with a varint length before each. Pure. */
export class FrameDecoder {
  readonly #pieces: Uint8Array[] = []
  /** Where the first piece begins that was not read. */
  #offset = 0
  #length: number | undefined

  #scratch: Uint8Array | undefined

  /** Bytes that came and were not read. */
  held = 0

  /** True where a frame may begin: nothing of one has come. */
  get isBetween (): boolean {
    return this.held === 0 && this.#length == null
  }

  push (bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#pieces.push(bytes)
    this.held += bytes.length
  }

  /**
   * The next frame if it is complete; one over 64 KiB is good until the next is taken. ProtocolError as soon as its length is malformed
   * or over `cap`, before its bytes come.
   */
  next (cap: number): Uint8Array | undefined {
    this.#length ??= this.#readLength(cap)
    if (this.#length == null || this.held < this.#length) return undefined
    const frame = this.#take(this.#length)
    this.#length = undefined
    return frame
  }

  #readLength (cap: number): number | undefined {
    let length = 0
    const peeked = this.#peek(MAX_LENGTH_BYTES)
    for (const [index, byte] of peeked.entries()) {
      length += (byte & 0x7f) * 2 ** (7 * index)
      if (byte >= 0x80) continue
      if (length > Math.min(cap, MAX_FRAME_BYTES)) throw new ProtocolError(`a frame of ${length} bytes where at most ${cap} are expected`)
      this.#skip(index + 1)
      return length
    }
    if (peeked.length === MAX_LENGTH_BYTES) throw new ProtocolError('a malformed frame: its length does not end')
    return undefined
  }

  #peek (count: number): number[] {
    const bytes: number[] = []
    let offset = this.#offset
    for (const piece of this.#pieces) {
      for (; offset < piece.length && bytes.length < count; offset++) bytes.push(piece[offset]!)
      offset = 0
      if (bytes.length === count) break
    }
    return bytes
  }

  #take (length: number): Uint8Array {
    const first = this.#pieces[0]
    if (first == null || first.length - this.#offset >= length) {
      const frame = first?.subarray(this.#offset, this.#offset + length) ?? new Uint8Array(0)
      this.#skip(length)
      return frame
    }
    const frame = length > SMALL ? (this.#scratch ??= new Uint8Array(MAX_FRAME_BYTES)).subarray(0, length) : new Uint8Array(length)
    for (let at = 0; at < length;) {
      const piece = this.#pieces[0]!
      const part = piece.subarray(this.#offset, this.#offset + length - at)
      frame.set(part, at)
      at += part.length
      this.#skip(part.length)
    }
    return frame
  }

  #skip (length: number): void {
    this.held -= length
    this.#offset += length
    while (this.#pieces.length > 0 && this.#offset >= this.#pieces[0]!.length) this.#offset -= this.#pieces.shift()!.length
  }
}
