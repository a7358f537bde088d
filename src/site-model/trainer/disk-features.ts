import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../common/message-of.ts'
import { isMissing } from '../../home/files.ts'
import type { FeatureStore } from '../../model/train/frozen-features.ts'

/** Told once why nothing more is kept. */
type OnProblem = (reason: string) => void

/**
 * Features of frozen blocks on the site's own disk, for as long as the trainer runs: made of pixels, so for nobody else to read, under
 * names that are hashes. When `maxBytes` are full, or the disk refuses, it keeps no more; those are computed again.
 */
export class DiskFeatures implements FeatureStore {
  readonly #folder: string
  readonly #maxBytes: number
  readonly #onProblem: OnProblem
  readonly #sizes = new Map<string, number>()
  #bytes = 0
  #refused = false

  private constructor (folder: string, maxBytes: number, onProblem: OnProblem) {
    this.#folder = folder
    this.#maxBytes = maxBytes
    this.#onProblem = onProblem
  }

  /** Empties the folder: what a trainer before this one left may be of other weights. */
  static async open (folder: string, maxBytes: number, onProblem: OnProblem = () => {}): Promise<DiskFeatures> {
    const store = new DiskFeatures(folder, maxBytes, onProblem)
    try {
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true, mode: 0o700 })
    } catch (error) {
      store.#refuse(error)
    }
    return store
  }

  async put (key: string, features: Float32Array): Promise<void> {
    const path = this.#path(key)
    if (this.#refused || this.#sizes.has(path) || this.#bytes + features.byteLength > this.#maxBytes) return
    this.#bytes += features.byteLength
    try {
      await writeFile(path, new Uint8Array(features.buffer, features.byteOffset, features.byteLength), { mode: 0o600 })
      this.#sizes.set(path, features.byteLength)
    } catch (error) {
      this.#refuse(error)
      await rm(path, { force: true }).catch(() => {})
    }
  }

  async get (key: string): Promise<Float32Array | undefined> {
    const path = this.#path(key)
    const size = this.#sizes.get(path)
    if (size == null) return undefined
    try {
      const bytes = await readFile(path)
      return bytes.length === size ? new Float32Array(Uint8Array.from(bytes).buffer) : undefined
    } catch (error) {
      if (!isMissing(error)) this.#refuse(error)
      return undefined
    }
  }

  #refuse (error: unknown): void {
    if (!this.#refused) this.#onProblem(messageOf(error))
    this.#refused = true
  }

  #path (key: string): string {
    return join(this.#folder, createHash('sha256').update(key).digest('hex'))
  }
}
