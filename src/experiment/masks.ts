/** A mask of 0 and 1 as base64, eight pixels a byte. */
export function packBits (mask: Uint8Array): string {
  const bytes = Buffer.alloc(Math.ceil(mask.length / 8))
  mask.forEach((label, i) => { if (label > 0) bytes[i >> 3]! |= 1 << (i & 7) })
  return bytes.toString('base64')
}

/** The inverse of packBits, for a mask of `length` pixels. */
export function unpackBits (text: string, length: number): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  return Uint8Array.from({ length }, (_, i) => bytes[i >> 3]! >> (i & 7) & 1)
}
