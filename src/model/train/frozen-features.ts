import type { CompiledStep, Engine, HostRecord } from '../../compute/index.ts'
import { toImages, type Fitted, type Pixels } from '../../dataset/index.ts'
import { pixelKey } from '../pixel-key.ts'
import type { SamConfig } from '../sam/build-sam.ts'
import { encoderPlan } from '../sam/encoder-plan.ts'
import type { Weights } from '../sam/weights.ts'
import { frozenFeaturesStep } from '../steps.ts'

/** Where features that memory has no room for may go; it bounds itself and may forget. */
export interface FeatureStore {
  put (key: string, features: Float32Array): Promise<void>
  get (key: string): Promise<Float32Array | undefined>
}

export interface CacheLimits {
  /** Features kept in memory, bytes. */
  readonly memoryBytes: number
  readonly spill?: FeatureStore
}

interface FrozenFeaturesInit {
  readonly engine: Engine
  readonly config: SamConfig
  readonly weights: Weights
  /** Blocks that nothing adapts: 0 up to, not including, this one. */
  readonly blocks: number
  readonly pixels?: Pixels | undefined
  readonly limits: CacheLimits
}

/**
 * Features of the encoder blocks that nothing adapts: the same for one image whatever Γ and Λ are, so they are computed once
 * (docs/spec/pfedsam.md#frozen-features). They are made of pixels: they stay in this process and the store that it was given.
 */
export class FrozenFeatures {
  readonly #init: FrozenFeaturesInit
  readonly #step: CompiledStep
  readonly #memory = new Map<string, Float32Array>()
  #bytes = 0
  #computed = 0

  constructor (init: FrozenFeaturesInit) {
    this.#init = init
    this.#step = init.engine.compile(frozenFeaturesStep(init.config, init.blocks))
  }

  /** Images that went through the blocks so far. */
  get computed (): number {
    return this.#computed
  }

  /** `@tokens` [B,H,H,D] of unaltered images, told apart by their pixels. */
  async tokens (batch: readonly Fitted[]): Promise<HostRecord> {
    const { config, blocks } = this.#init
    const { side, dim } = encoderPlan(config).tokens(blocks)
    const size = side ** 2 * dim
    const data = new Float32Array(batch.length * size)
    for (const [index, sample] of batch.entries()) data.set(await this.#of(sample), index * size)
    return { '@tokens': { shape: [batch.length, side, side, dim], data } }
  }

  async dispose (): Promise<void> {
    this.#memory.clear()
    await this.#step.dispose()
  }

  async #of (sample: Fitted): Promise<Float32Array> {
    const key = pixelKey(sample)
    const known = this.#memory.get(key) ?? await this.#init.limits.spill?.get(key)
    if (known != null) return known
    const features = await this.#compute(sample)
    if (this.#bytes + features.byteLength <= this.#init.limits.memoryBytes) {
      this.#memory.set(key, features)
      this.#bytes += features.byteLength
    } else {
      await this.#init.limits.spill?.put(key, features)
    }
    return features
  }

  async #compute (sample: Fitted): Promise<Float32Array> {
    const { config, weights, pixels } = this.#init
    const images = toImages([sample], pixels)
    const { tokens } = await this.#step.run({ ...weights, '@images': { shape: [1, config.imageSize, config.imageSize, 3], data: images } })
    this.#computed++
    return tokens!.data as Float32Array
  }
}
