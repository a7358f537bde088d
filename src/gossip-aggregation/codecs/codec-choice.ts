import { BLOCK } from './codec-blocks.ts'
import { CODECS, finer, type Codec } from './codec.ts'

/**
 * The codecs that `auto` climbs before f32, each with its codes per block range, squared, and with how many times the quantisation error
 * of both sides the squared distance must be for it to be worth while: q6 must not keep sites that train farther apart than q8 does. f16
 * is no step: q16 takes 1.6 % more bytes and errs an eighth as much (docs/gossip.md).
 */
const STEPS: readonly { readonly codec: Codec, readonly levels: number, readonly worth: number }[] = [
  { codec: 'q6', levels: 63 ** 2, worth: 12 },
  { codec: 'q8', levels: 255 ** 2, worth: 6 },
  { codec: 'q16', levels: 65_535 ** 2, worth: 6 }
]

/**
 * Squared error that a block codec of one level would make: blocks' ranges squared over 12, summed, estimated from every `stride`-th
 * block; divide by the square of its levels.
 */
export function blockNoise (values: Float32Array, stride = 1): number {
  let sum = 0
  for (let begin = 0; begin < values.length; begin += BLOCK * stride) {
    const end = Math.min(begin + BLOCK, values.length)
    let least = values[begin]!
    let most = least
    for (let i = begin + 1; i < end; i++) {
      const value = values[i]!
      if (value < least) least = value
      if (value > most) most = value
    }
    sum += (end - begin) * (most - least) ** 2
  }
  return stride * sum / 12
}

/**
 * What quantisation by this codec alone makes of the distance of two equal vectors of this blockNoise; 0 for codecs that are not block
 * codecs.
 */
export function noiseOf (codec: Codec, noise: number): number {
  const step = STEPS.find((each) => each.codec === codec)
  return step == null ? 0 : Math.sqrt(2 * noise / step.levels)
}

/** Which codec the site wants next: fixed, or (`auto`) the coarsest whose error is small against the distance last seen. */
export class CodecChoice {
  readonly #fixed: Codec | undefined
  #squares: number
  #squaresBefore = 0
  #noise = 0

  /** `distance` of the last exchange; Infinity when nothing is known. */
  constructor (setting: Codec | 'auto', distance = Infinity) {
    this.#fixed = setting === 'auto' ? undefined : setting
    this.#squares = distance ** 2
  }

  get can (): readonly Codec[] {
    return this.#fixed == null ? CODECS : [this.#fixed]
  }

  /** `isSettling`: no training will move the sites any more. */
  want (isSettling = false): Codec {
    if (this.#fixed != null) return this.#fixed
    // One partner that was met just now says nothing of the next.
    const squares = isSettling ? Math.max(this.#squares, this.#squaresBefore) : this.#squares
    const coarsest = STEPS.find(({ levels, worth }) => squares >= worth * 2 * this.#noise / levels)?.codec ?? 'f32'
    return isSettling ? finer(coarsest, 'q16') : coarsest
  }

  /** The finer of what both want, if both can. */
  agreed ({ codecs, want }: { readonly codecs: readonly string[], readonly want: string }, isSettling: boolean): Codec | undefined {
    const theirs = CODECS.find((each) => each === want)
    if (theirs == null) return undefined
    const codec = finer(theirs, this.want(isSettling))
    return codecs.includes(codec) && this.can.includes(codec) ? codec : undefined
  }

  /** Distance of the last exchange, with what training moved since. */
  get distance (): number {
    return Math.sqrt(this.#squares)
  }

  observed (distance: number, noise: number): void {
    this.#squaresBefore = this.#squares
    this.#squares = distance ** 2
    this.#noise = noise
  }

  moved (norm: number): void {
    this.#squares += norm ** 2
  }
}
