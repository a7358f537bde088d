import type { Schema } from '../adapter/schema.ts'
import { chunksOf } from '../gossip-aggregation/codecs/codec.ts'

/** Brings the sites' adapters together. */
export interface Mixer {
  /**
   * Every site's adapter after phase G of `round` → what each holds now; never the same array. `factors`: by how much each site scales
   * what it trained; not at all if not given.
   */
  mix (round: number, trained: readonly Float32Array[], factors?: readonly number[]): Promise<Float32Array[]>
  /** After the last round: whatever ends the training. */
  finish (): Promise<Float32Array[] | undefined>
  /** Bytes of adapters that each site sent so far. */
  readonly bytesSent: readonly number[]
}

/** Every site keeps what it trained. */
export class NoMixer implements Mixer {
  readonly bytesSent: readonly number[]

  constructor (sites: number) {
    this.bytesSent = new Array<number>(sites).fill(0)
  }

  mix (_: number, trained: readonly Float32Array[]): Promise<Float32Array[]> {
    return Promise.resolve(trained.map((each) => each.slice()))
  }

  finish (): Promise<undefined> {
    return Promise.resolve(undefined)
  }
}

interface ServerInit {
  readonly schema: Schema
  /** Of each site in the average. */
  readonly masses: readonly number[]
  /** Γ at the start, the same at all sites. */
  readonly initial: Float32Array
}

/** A server that averages exactly, weighted by mass; sites send float32. */
export class ServerMixer implements Mixer {
  readonly #masses: readonly number[]
  readonly #bytesPerRound: number
  readonly bytesSent: number[]
  /** What sites trained from. */
  #last: ArrayLike<number>

  constructor ({ schema, masses, initial }: ServerInit) {
    this.#masses = masses
    this.#last = initial
    this.#bytesPerRound = chunksOf(schema.size, 'f32').reduce((sum, { bytes }) => sum + bytes, 0)
    this.bytesSent = new Array<number>(masses.length).fill(0)
  }

  mix (_: number, trained: readonly Float32Array[], factors?: readonly number[]): Promise<Float32Array[]> {
    const landed = factors == null ? trained : trained.map((each, site) => this.#scaled(each, factors[site]!))
    const mean = this.#last = weightedMean(landed, this.#masses)
    for (const site of this.bytesSent.keys()) this.bytesSent[site]! += this.#bytesPerRound
    return Promise.resolve(trained.map(() => Float32Array.from(mean)))
  }

  finish (): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  #scaled (trained: Float32Array, factor: number): Float32Array {
    return trained.map((each, i) => this.#last[i]! + factor * (each - this.#last[i]!))
  }
}

/** Summed in float64. */
export function weightedMean (vectors: readonly Float32Array[], masses: readonly number[]): Float64Array {
  const total = masses.reduce((sum, mass) => sum + mass, 0)
  const mean = new Float64Array(vectors[0]!.length)
  vectors.forEach((vector, site) => {
    const share = masses[site]! / total
    for (let i = 0; i < mean.length; i++) mean[i] = mean[i]! + share * vector[i]!
  })
  return mean
}
