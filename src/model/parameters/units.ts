import type { Layout } from './layout.ts'

/** Which unit each number of a flat vector belongs to, and how many units there are. */
export interface Units {
  readonly of: Uint32Array
  readonly count: number
}

const LOW_RANK = /\.lora_([AB])(?=_|$)/

/**
 * Units that are common or individual as one: a rank component of a low-rank pair (row of A [r,in] with column of B [out,r]), a row of any
 * other matrix, a vector as a whole (docs/spec/mixing.md#units).
 */
export function unitsOf (layout: Layout): Units {
  const of = new Uint32Array(layout.size)
  const begins = new Map<string, number>()
  let count = 0
  const unitsFrom = (name: string, units: number): number => {
    const begin = begins.get(name) ?? count
    if (begin === count) count += units
    begins.set(name, begin)
    return begin
  }
  for (const { name, shape, offset, size } of layout.entries) {
    const [rows = 1] = shape
    const [, factor] = LOW_RANK.exec(name) ?? []
    const columns = size / rows
    const units = factor === 'B' ? columns : shape.length > 1 ? rows : 1
    const begin = unitsFrom(name.replace(LOW_RANK, '.lora'), units)
    const unitAt = (i: number): number => factor === 'B' ? i % columns : shape.length > 1 ? Math.floor(i / columns) : 0
    for (let i = 0; i < size; i++) of[offset + i] = begin + unitAt(i)
  }
  return { of, count }
}

/**
 * ρ of each unit, ½·‖a/‖a‖ − b/‖b‖‖: 0 where both point the same way, 1 the opposite one, 0.71 where they are unrelated;
 * ½ where one is nothing, 0 where both are.
 */
export function unlikeness (a: ArrayLike<number>, b: ArrayLike<number>, units: Units): Float64Array {
  const [left, right] = [lengths(a, units), lengths(b, units)]
  const along = (value: number, length: number): number => length > 0 ? value / length : 0
  const difference = Float64Array.from(a, (value, i) => along(value, left[units.of[i]!]!) - along(b[i]!, right[units.of[i]!]!))
  return lengths(difference, units).map((each) => each / 2)
}

/** Euclidean length of each unit. */
export function lengths (values: ArrayLike<number>, { of, count }: Units): Float64Array {
  const squares = new Float64Array(count)
  for (let i = 0; i < values.length; i++) squares[of[i]!] = squares[of[i]!]! + values[i]! ** 2
  return squares.map(Math.sqrt)
}
