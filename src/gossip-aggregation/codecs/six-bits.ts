/** Four codes below 64 in three bytes, the first in the lowest bits; of the last four, as many bytes as the codes need. */
export function packSixBits (codes: Uint8Array, bytes: Uint8Array, at: number): void {
  const whole = codes.length & ~3
  let to = at
  for (let i = 0; i < whole; i += 4, to += 3) {
    const word = codes[i]! | codes[i + 1]! << 6 | codes[i + 2]! << 12 | codes[i + 3]! << 18
    bytes[to] = word
    bytes[to + 1] = word >>> 8
    bytes[to + 2] = word >>> 16
  }
  let rest = 0
  for (let i = whole; i < codes.length; i++) rest |= codes[i]! << 6 * (i - whole)
  for (let byte = 0; byte < codes.length - whole; byte++) bytes[to + byte] = rest >>> 8 * byte
}

/** Fills `codes` with what packSixBits put there. */
export function unpackSixBits (bytes: Uint8Array, at: number, codes: Uint8Array): void {
  const whole = codes.length & ~3
  let from = at
  for (let i = 0; i < whole; i += 4, from += 3) {
    const word = bytes[from]! | bytes[from + 1]! << 8 | bytes[from + 2]! << 16
    codes[i] = word & 63
    codes[i + 1] = word >>> 6 & 63
    codes[i + 2] = word >>> 12 & 63
    codes[i + 3] = word >>> 18
  }
  let rest = 0
  for (let byte = 0; byte < codes.length - whole; byte++) rest |= bytes[from + byte]! << 8 * byte
  for (let i = whole; i < codes.length; i++) codes[i] = rest >>> 6 * (i - whole) & 63
}
