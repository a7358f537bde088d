import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { isMissing } from '../home/files.ts'
import { sitePaths } from '../home/paths.ts'
import { Predictor, type PredictorInit } from '../site-model/predict/predictor.ts'
import type { Image } from '../site-model/predict/prompt.ts'
import type { Listed } from './catalogue.ts'

/** Volumes are large, and people look at one at a time. */
const IMAGES = 2

/** The site's model, of the last round that was saved, and the images that were looked at last. */
export class OpenedImages {
  readonly #init: PredictorInit
  readonly #data: string
  readonly #images = new LRUCache<string, Image>({ max: IMAGES })
  #predictor: Predictor
  #savedMs: number

  private constructor (init: PredictorInit, data: string, predictor: Predictor, savedMs: number) {
    this.#init = init
    this.#data = data
    this.#predictor = predictor
    this.#savedMs = savedMs
  }

  /** @throws InputError when the home holds no federation, or lacks its base model */
  static async open (init: PredictorInit, data: string): Promise<OpenedImages> {
    const savedMs = await savedAt(init.home)
    return new OpenedImages(init, data, await Predictor.open(init), savedMs)
  }

  get predictor (): Predictor {
    return this.#predictor
  }

  /** @throws InputError for an image that cannot be used */
  async image ({ id, image }: Listed): Promise<Image> {
    const known = this.#images.get(id)
    if (known != null) return known
    await this.renew()
    const opened = await this.#predictor.open(join(this.#data, image.image), 'stack' in image ? image.stack : undefined)
    this.#images.set(id, opened)
    return opened
  }

  /** Takes over what the daemon trained meanwhile. */
  async renew (): Promise<void> {
    const savedMs = await savedAt(this.#init.home)
    if (savedMs === this.#savedMs) return
    const next = await Predictor.open(this.#init)
    await this.#predictor.close()
    this.#predictor = next
    this.#savedMs = savedMs
    this.#images.clear()
  }

  async close (): Promise<void> {
    await this.#predictor.close()
  }
}

/** Milliseconds; 0 before the first round. */
async function savedAt (home: string): Promise<number> {
  return await stat(sitePaths(home).adapter).then(({ mtimeMs }) => mtimeMs, (error: unknown) => {
    if (isMissing(error)) return 0
    throw error
  })
}
