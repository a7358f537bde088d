import type { FeatureStore } from '../train/frozen-features.ts'

/**
 * Embeddings by key, in memory up to a number of bytes (the one unused longest goes first) and in a store behind it. They are made of
 * pixels: private.
 */
export class EmbeddingCache {
  readonly #memoryBytes: number
  readonly #store: FeatureStore | undefined
  /** In the order of their last use. */
  readonly #memory = new Map<string, Float32Array>()
  #bytes = 0

  constructor ({ memoryBytes, store }: { readonly memoryBytes: number, readonly store?: FeatureStore | undefined }) {
    this.#memoryBytes = memoryBytes
    this.#store = store
  }

  /** Bytes held in memory. */
  get bytes (): number {
    return this.#bytes
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
    this.#forget(key)
    this.#memory.set(key, embedding)
    this.#bytes += embedding.byteLength
    for (const oldest of this.#memory.keys()) {
      if (this.#bytes <= this.#memoryBytes) break
      this.#forget(oldest)
    }
  }

  #forget (key: string): void {
    this.#bytes -= this.#memory.get(key)?.byteLength ?? 0
    this.#memory.delete(key)
  }
}
