/** A pause that doubles, in milliseconds: the first one, and the one beyond which it grows no more. */
export interface Doubling {
  readonly firstMs: number
  readonly lastMs: number
}

/** The pause after so many that went before it, in milliseconds. */
export function doublingMs ({ firstMs, lastMs }: Doubling, before: number): number {
  return Math.min(firstMs * 2 ** before, lastMs)
}
