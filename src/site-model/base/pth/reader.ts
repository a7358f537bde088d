import { CorruptFileError } from '../../../errors.ts'

/** Walks over bytes; CorruptFileError instead of reading past the end. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor (bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get at (): number {
    return this.#at
  }

  u8 (): number {
    return this.#bytes.readUInt8(this.#take(1))
  }

  u16 (): number {
    return this.#bytes.readUInt16LE(this.#take(2))
  }

  u32 (): number {
    return this.#bytes.readUInt32LE(this.#take(4))
  }

  i32 (): number {
    return this.#bytes.readInt32LE(this.#take(4))
  }

  f64BigEndian (): number {
    return this.#bytes.readDoubleBE(this.#take(8))
  }

  skip (length: number): void {
    this.#take(length)
  }

  text (length: number): string {
    const begin = this.#take(length)
    return this.#bytes.toString('utf8', begin, begin + length)
  }

  line (): string {
    const end = this.#bytes.indexOf(0x0a, this.#at)
    if (end < 0) throw new CorruptFileError('the pickle ends within a line')
    const text = this.#bytes.toString('utf8', this.#at, end)
    this.#at = end + 1
    return text
  }

  /** A little-endian two's-complement number of at most eight bytes. */
  integer (length: number): number {
    if (length === 0) return 0
    if (length > 8) throw new CorruptFileError(`the pickle holds a number of ${length} bytes; the most is 8`)
    const begin = this.#take(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = value << 8n | BigInt(this.#bytes[begin + i]!)
    return Number(BigInt.asIntN(8 * length, value))
  }

  #take (length: number): number {
    const begin = this.#at
    if (length > this.#bytes.length - begin) throw new CorruptFileError('the pickle ends in the middle of a value')
    this.#at = begin + length
    return begin
  }
}
