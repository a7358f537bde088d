/**
 * Passes over the numbers of a vector, with the sum of the squares of what they see or make, in float64 and always in the same order,
 * so that two sites get the same; it is not finite as soon as one number is not. The passes of an exchange are what it computes: in
 * WebAssembly they take a third to two thirds of the time, copies included.
 */
import { AT_ONCE, kernels } from './wasm-passes.ts'

/** Below it the calls and copies cost more than they spare. */
const LEAST = 512

/** Σ values². */
export function sumOfSquares (values: Float32Array): number {
  return inSlices(values.length, (begin, end) => sumOfSlice(values.subarray(begin, end)))
}

/** into ← theirs − own, rounded to float32 as at the partner; Σ into². */
export function subtract (theirs: Float32Array, own: Float32Array, into: Float32Array): number {
  return combine(theirs, -1, own, into)
}

/** into ← into + factor · difference, in float32; Σ into². */
export function addScaled (into: Float32Array, factor: number, difference: Float32Array): number {
  return combine(into, factor, difference, into)
}

function combine (one: Float32Array, factor: number, other: Float32Array, into: Float32Array): number {
  return inSlices(
    into.length,
    (begin, end) => combineSlice(one.subarray(begin, end), factor, other.subarray(begin, end), into.subarray(begin, end))
  )
}

function inSlices (length: number, work: (begin: number, end: number) => number): number {
  let sum = 0
  for (let begin = 0; begin < length; begin += AT_ONCE) sum += work(begin, Math.min(begin + AT_ONCE, length))
  return sum
}

function sumOfSlice (values: Float32Array): number {
  if (kernels == null || values.length < LEAST) return plainSum(values)
  return kernels.sumOfSquares(place(kernels, 0, values), paddedBytes(values))
}

function combineSlice (one: Float32Array, factor: number, other: Float32Array, into: Float32Array): number {
  if (kernels == null || into.length < LEAST) return plainCombine(one, Math.fround(factor), other, into)
  const address = place(kernels, 0, one)
  const squares = kernels.combine(address, factor, place(kernels, 1, other), address, paddedBytes(into))
  into.set(kernels.slots[0]!.subarray(0, into.length))
  return squares
}

/** Copies a slice into a slot, with zeros up to the next four; returns its address. */
function place ({ slots }: NonNullable<typeof kernels>, slot: 0 | 1, values: Float32Array): number {
  const into = slots[slot]!
  into.set(values)
  into.fill(0, values.length, paddedBytes(values) / 4)
  return into.byteOffset
}

function paddedBytes ({ length }: Float32Array): number {
  return 16 * Math.ceil(length / 4)
}

/** As vectors.wat: four sums, which also hide the latency of addition. */
export function plainSum (values: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let i = 0; i < values.length; i += 4) {
    a += square(values[i])
    b += square(values[i + 1])
    c += square(values[i + 2])
    d += square(values[i + 3])
  }
  return a + b + (c + d)
}

/** As vectors.wat. */
export function plainCombine (one: Float32Array, factor: number, other: Float32Array, into: Float32Array): number {
  for (let i = 0; i < into.length; i++) into[i] = Math.fround(one[i]! + Math.fround(factor * other[i]!))
  return plainSum(into)
}

/** 0 beyond the end. */
function square (value = 0): number {
  return value * value
}
