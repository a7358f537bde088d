import { UNKNOWN } from './label-map.ts'

/** A value for which there is no rule, until all masks are read. */
export const NO_RULE = 254
const MOST = 253

/** What a stored value becomes: a code (label-map.ts), or undefined where nothing says it. */
export type LabelRule = (value: number) => number | undefined

/** Stored values of the masks of one folder, with the numbers of their pixels; masks are kept as one byte a pixel. */
export class LabelBook {
  readonly #rule: LabelRule | undefined
  /** by value: pixels, and the byte that stands for it */
  readonly #values = new Map<number, { pixels: number, readonly byte: number }>()
  #last = 0

  /** Without a rule every value keeps a byte of its own, as long as there are bytes. */
  constructor (rule?: LabelRule) {
    this.#rule = rule
  }

  /** Whole numbers from 0, of any size, as bytes. */
  encode (values: ArrayLike<number>): Uint8Array {
    const bytes = new Uint8Array(values.length)
    const seen = new Map<number, { pixels: number, readonly byte: number }>()
    let [before, entry] = [NaN, undefined as { pixels: number, readonly byte: number } | undefined]
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!
      if (value !== before) {
        entry = seen.get(value)
        if (entry == null) seen.set(value, entry = { pixels: 0, byte: this.#values.get(value)?.byte ?? this.#byteOf(value) })
        before = value
      }
      entry!.pixels++
      bytes[i] = entry!.byte
    }
    for (const [value, { pixels, byte }] of seen) this.#values.set(value, { pixels: pixels + (this.#values.get(value)?.pixels ?? 0), byte })
    return bytes
  }

  /** Pixels by value, in order of value. */
  get counts (): ReadonlyMap<number, number> {
    return new Map([...this.#values].sort(([a], [b]) => a - b).map(([value, { pixels }]) => [value, pixels]))
  }

  /** What bytes stand for; values beyond the last byte share it. */
  get bytes (): ReadonlyMap<number, number> {
    return new Map([...this.#values].map(([value, { byte }]) => [value, byte]))
  }

  #byteOf (value: number): number {
    if (this.#rule != null) {
      const code = this.#rule(value)
      if (code != null) return code
      return NO_RULE
    }
    if (value === 0) return 0
    this.#last = Math.min(MOST, this.#last + 1)
    return this.#last
  }
}

/** Foreground, as far as it is known before all masks are read. */
export function isForeground (code: number): boolean {
  return code > 0 && code !== UNKNOWN
}
