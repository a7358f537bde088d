/** One simulated patient: a square picture and what is where in it. */
export interface Drawing {
  readonly side: number
  readonly channels: 1 | 3
  /** side·side·channels, row-major, 0..255 */
  readonly image: Uint8Array
  /** side·side: 1 in the organ to segment, else 0 */
  readonly mask: Uint8Array
}

/** A simulated hospital draws patient `index` of a seed: the same pair, the same picture. */
export interface PhantomSite {
  readonly name: string
  draw (seed: number, index: number, side: number): Drawing
}
