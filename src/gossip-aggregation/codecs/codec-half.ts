import type { Coder } from './coder.ts'

const LARGEST = 0x7bff
/** Bits of 65 504, of the smallest normal half 2^-14, and of the difference of the exponents' biases. */
const LARGEST_BITS = 0x477fe000
const SMALLEST_NORMAL_BITS = 0x38800000
const BIAS_BITS = 0x38000000

const decoded = new Float32Array(65_536)
for (let half = 0; half < 65_536; half++) decoded[half] = fromHalf(half)

/** IEEE 754 binary16, little-endian, rounded to nearest even; numbers beyond ± 65 504 become that. */
export function halfCoder (maxChunkBytes: number): Coder {
  const chunkFloats = maxChunkBytes / 2
  const scratch = new Float32Array(chunkFloats)
  return {
    bytesOf: (floats) => 2 * floats,
    chunkFloats,
    isExact: false,
    encode: (values) => {
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
      const halves = Uint16Array.from(bits, toHalf)
      readHalves(halves, values)
      return new Uint8Array(halves.buffer)
    },
    decode: (bytes, count) => {
      const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes)
      readHalves(new Uint16Array(aligned.buffer, aligned.byteOffset, count), scratch)
      return scratch.subarray(0, count)
    }
  }
}

function readHalves (halves: Uint16Array, values: Float32Array): void {
  for (let i = 0; i < halves.length; i++) values[i] = decoded[halves[i]!]!
}

function toHalf (bits: number): number {
  const sign = bits >>> 16 & 0x8000
  const size = bits & 0x7fffffff
  if (size >= LARGEST_BITS) return sign | LARGEST
  if (size >= SMALLEST_NORMAL_BITS) return sign | size - BIAS_BITS + 0xfff + (size >>> 13 & 1) >>> 13
  return sign | subnormal(size)
}

/** size·2^24 for a float32 below 2^-14, to nearest even: all that is left of its significand after the shift. */
function subnormal (size: number): number {
  const exponent = size >>> 23
  const shift = 126 - exponent
  if (shift > 24) return 0
  const significand = size & 0x7fffff | 0x800000
  const half = 2 ** (shift - 1)
  const whole = significand >>> shift
  const rest = significand - whole * 2 ** shift
  return whole + Number(rest > half || (rest === half && (whole & 1) === 1))
}

function fromHalf (half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = half >>> 10 & 31
  const fraction = half & 0x3ff
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}
