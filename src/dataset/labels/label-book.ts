import { UNKNOWN } from './label-map.ts'

const MOST = 253

/** What a stored value becomes: a code (label-map.ts), or undefined where nothing says it. */
export type LabelRule = (value: number) => number | undefined

interface Entry { pixels: number, readonly byte: number }

/**
 * Stored values of the masks of one folder, with the numbers of their pixels. Masks are kept as one byte a pixel, every value by a byte
 * of its own as long as there are enough, until all masks are read.
 */
export class LabelBook {
  readonly #rule: LabelRule
  readonly #values = new Map<number, Entry>()
  /** Of values that came when few bytes were left: one byte for all that become the same. */
  readonly #shared = new Map<number | undefined, number>()
  readonly #codes = new Map<number, number | undefined>([[0, 0]])
  readonly #own: number
  #last = 0

  /** `codes`: how many codes the rule may give; without a rule everything above 0 is foreground. */
  constructor (rule: LabelRule = (value) => value > 0 ? 1 : 0, codes = 2) {
    this.#rule = rule
    this.#own = Math.max(0, MOST - codes - 2)
  }

  /** Whole numbers from 0, of any size, as bytes. */
  encode (values: ArrayLike<number>): Uint8Array {
    const bytes = new Uint8Array(values.length)
    let [before, entry] = [NaN, undefined as Entry | undefined]
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!
      if (value !== before) {
        entry = this.#entryOf(value)
        before = value
      }
      entry!.pixels++
      bytes[i] = entry!.byte
    }
    return bytes
  }

  /** The same mask with other values. */
  recode (mask: Uint8Array, change: (value: number) => number): Uint8Array {
    const values = new Map([...this.#values].map(([value, { byte }]) => [byte, value]))
    const changed = mask.map((byte) => {
      const before = values.get(byte)!
      this.#values.get(before)!.pixels--
      const after = this.#entryOf(change(before))
      after.pixels++
      return after.byte
    })
    for (const [value, { pixels }] of this.#values) if (pixels === 0) this.#values.delete(value)
    return changed
  }

  /** Values that a mask holds. */
  valuesIn (mask: Uint8Array): number[] {
    const bytes = new Set(mask)
    return [...this.#values].flatMap(([value, { byte }]) => bytes.has(byte) ? [value] : [])
  }

  /** Foreground by the rule, or perhaps, where no rule says what it is. */
  readonly isForeground = (byte: number): boolean => {
    const code = this.#codes.get(byte)
    return byte > 0 && (code == null || isForeground(code))
  }

  /** In order of value. */
  get values (): { readonly value: number, readonly pixels: number, readonly byte: number, readonly code: number | undefined }[] {
    return [...this.#values].sort(([a], [b]) => a - b).map(([value, entry]) => ({ value, ...entry, code: this.#codes.get(entry.byte) }))
  }

  #entryOf (value: number): Entry {
    let entry = this.#values.get(value)
    if (entry == null) this.#values.set(value, entry = { pixels: 0, byte: this.#byteOf(value) })
    return entry
  }

  #byteOf (value: number): number {
    const code = this.#rule(value)
    if (value === 0 && code === 0) return 0
    const known = this.#last < this.#own ? undefined : this.#shared.get(code)
    if (known != null) return known
    const byte = ++this.#last
    this.#codes.set(byte, code)
    if (byte > this.#own) this.#shared.set(code, byte)
    return byte
  }
}

/** Foreground, of codes. */
export function isForeground (code: number): boolean {
  return code > 0 && code !== UNKNOWN
}
