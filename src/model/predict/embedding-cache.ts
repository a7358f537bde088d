import { LRUCache } from 'lru-cache'
import type { FeatureStore } from '../train/frozen-features.ts'

/**
 * Embeddings by key, in memory up to a number of bytes (the one unused longest goes first) and in a store behind it. They are made of
 * pixels: private.
 */
export class EmbeddingCache {
  readonly #store: FeatureStore | undefined
  readonly #memory: LRUCache<string, Float32Array>

  constructor ({ memoryBytes, store }: { readonly memoryBytes: number, readonly store?: FeatureStore | undefined }) {
    // For the library 0 is no limit; no embedding is as small as a byte.
    this.#memory = new LRUCache({ maxSize: Math.max(1, memoryBytes), sizeCalculation: ({ byteLength }) => byteLength })
    this.#store = store
  }

  /** Bytes held in memory. */
  get bytes (): number {
    return this.#memory.calculatedSize
  }

  async get (key: string): Promise<Float32Array | undefined> {
    const known = this.#memory.get(key) ?? await this.#store?.get(key)
    if (known != null) this.#remember(key, known)
    return known
  }

  async put (key: string, embedding: Float32Array): Promise<void> {
    this.#remember(key, embedding)
    await this.#store?.put(key, embedding)
  }

  #remember (key: string, embedding: Float32Array): void {
    // One that fills the memory alone drives out all others, and is not kept itself.
    if (embedding.byteLength > this.#memory.maxSize) this.#memory.clear()
    else this.#memory.set(key, embedding)
  }
}
