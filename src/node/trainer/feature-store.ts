import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FeatureStore } from '../../model/train/stem.ts'
import { isMissing } from '../storage/files.ts'

/**
 * Features of frozen blocks on the site's own disk, for as long as the trainer runs: made of pixels, so for nobody else to read, and named by a
 * hash, since ids are file names. When `maxBytes` are full it keeps no more; those are computed again.
 */
export class DiskFeatures implements FeatureStore {
  readonly #folder: string
  readonly #maxBytes: number
  readonly #sizes = new Map<string, number>()
  #bytes = 0

  private constructor (folder: string, maxBytes: number) {
    this.#folder = folder
    this.#maxBytes = maxBytes
  }

  /** Empties the folder: what a trainer before this one left may be of other weights. */
  static async open (folder: string, maxBytes: number): Promise<DiskFeatures> {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return new DiskFeatures(folder, maxBytes)
  }

  async put (key: string, features: Float32Array): Promise<void> {
    const path = this.#path(key)
    if (this.#sizes.has(path) || this.#bytes + features.byteLength > this.#maxBytes) return
    this.#bytes += features.byteLength
    await writeFile(path, new Uint8Array(features.buffer, features.byteOffset, features.byteLength), { mode: 0o600 })
    this.#sizes.set(path, features.byteLength)
  }

  async get (key: string): Promise<Float32Array | undefined> {
    const path = this.#path(key)
    const size = this.#sizes.get(path)
    if (size == null) return undefined
    try {
      const bytes = await readFile(path)
      return bytes.length === size ? new Float32Array(Uint8Array.from(bytes).buffer) : undefined
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  #path (key: string): string {
    return join(this.#folder, createHash('sha256').update(key).digest('hex'))
  }
}
