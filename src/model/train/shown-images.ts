import type { Random } from '../../common/random.ts'
import type { HostRecord } from '../../compute/index.ts'
import { toImages, viewedImages, type Fitted } from '../../dataset/index.ts'
import { FrozenFeatures, type CacheLimits } from './frozen-features.ts'
import type { LearnerInit } from './learner-args.ts'

const DEFAULT_CACHE: CacheLimits = { memoryBytes: 256 * 2 ** 20 }

type Init = Pick<LearnerInit, 'engine' | 'config' | 'weights' | 'model' | 'train' | 'cache'>

/** What steps are fed with of images. */
export class ShownImages {
  readonly #init: Init
  readonly #frozen: FrozenFeatures | undefined

  /** `blocks`: how many nothing adapts, at the beginning. */
  constructor (init: Init, blocks: number) {
    const { engine, config, weights, model: { pixels }, cache: limits = DEFAULT_CACHE } = init
    this.#init = init
    if (blocks > 0) this.#frozen = new FrozenFeatures({ engine, config, weights, blocks, pixels, limits })
  }

  /** The images, or what the frozen blocks make of them where they come again unaltered, unless they are wanted whole. */
  async inputs (batch: readonly Fitted[], altered?: Random, whole = false): Promise<HostRecord> {
    if (this.#frozen != null && altered == null && !whole) return await this.#frozen.tokens(batch)
    const { config: { imageSize }, model: { pixels }, train: { views } } = this.#init
    const shape = [batch.length, imageSize, imageSize, 3]
    const data = altered == null || views == null ? toImages(batch, pixels) : viewedImages(batch, { pixels, views, random: altered })
    return { '@images': { shape, data } }
  }

  async dispose (): Promise<void> {
    await this.#frozen?.dispose()
  }
}
