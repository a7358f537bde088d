/** Bits of the float32 that equals the half with these bits. */
export function halfToFloatBits (half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13)
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  const top = 31 - Math.clz32(fraction)
  return sign | ((top + 103) << 23) | ((fraction << (23 - top)) & 0x7fffff)
}

/** Bits of the half nearest to the float32 with these bits, ties to even; 65520 and more become infinite. */
export function floatToHalfBits (bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x47800000) return sign | 0x7c00
  if (magnitude >= 0x38800000) return sign | ((roundShift(magnitude, 13)) - 0x1c000)
  // Below 2^-14 halves are multiples of 2^-24: shift the full significand down to that unit.
  const shift = 126 - (magnitude >>> 23)
  return shift > 24 ? sign : sign | roundShift((magnitude & 0x7fffff) | 0x800000, shift)
}

function roundShift (value: number, shift: number): number {
  return (value + (1 << (shift - 1)) - 1 + ((value >>> shift) & 1)) >>> shift
}
