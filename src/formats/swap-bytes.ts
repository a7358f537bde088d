/** Turns the byte order of numbers of so many bytes around, in place. */
export function swapBytes (bytes: Buffer, width: number): void {
  if (width === 2) bytes.swap16()
  if (width === 4) bytes.swap32()
  if (width === 8) bytes.swap64()
}
