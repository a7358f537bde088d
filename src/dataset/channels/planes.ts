/** Planes of the model's input. */
const PLANES = 3

/** One entry for each plane: the last of fewer fills those that are left. */
export function toPlanes<T> (entries: readonly T[]): T[] {
  return Array.from({ length: PLANES }, (_, plane) => entries[Math.min(plane, entries.length - 1)]!)
}

/** Grey images of one size as the planes of one; a single one stays grey. */
export function interleaved (images: readonly Uint8Array[]): { readonly channels: 1 | 3, readonly image: Uint8Array } {
  if (images.length === 1) return { channels: 1, image: images[0]! }
  const image = new Uint8Array(images[0]!.length * PLANES)
  toPlanes(images).forEach((values, plane) => {
    for (let i = 0; i < values.length; i++) image[i * PLANES + plane] = values[i]!
  })
  return { channels: PLANES, image }
}
