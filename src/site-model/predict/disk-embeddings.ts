import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { littleEndianBytes } from '../../adapter/safetensors.ts'
import { messageOf } from '../../common/message-of.ts'
import { writeWhole } from '../../common/write-whole.ts'
import { isMissing } from '../../home/files.ts'
import type { FeatureStore } from '../../model/train/frozen-features.ts'

interface Entry { readonly bytes: number, readonly usedMs: number }

/** A file starts with the SHA-256 of what follows: float32, little-endian. */
const DIGEST_BYTES = 32
/** Beyond this many files, looking through the folder would cost more than it saves. */
const MAX_FILES = 8_192

/**
 * Embeddings on the site's own disk, for predictions to come: made of pixels, so readable for this user alone, and under names that are
 * hashes. When `maxBytes` are full the ones unused longest go. A disk that refuses is no reason to fail: `problem` says it, and nothing
 * more is kept.
 */
export class DiskEmbeddings implements FeatureStore {
  readonly #folder: string
  readonly #maxBytes: number
  readonly #now: () => number
  /** By file name, the one unused longest first. Room is made before a file is written, and awaited: no cache in memory does that. */
  #entries: Map<string, Entry> | undefined
  #problem: string | undefined

  constructor ({ folder, maxBytes, now = Date.now }: { readonly folder: string, readonly maxBytes: number, readonly now?: () => number }) {
    this.#folder = folder
    this.#maxBytes = maxBytes
    this.#now = now
  }

  /** Why nothing is kept any more, if so. */
  get problem (): string | undefined {
    return this.#problem
  }

  async get (key: string): Promise<Float32Array | undefined> {
    return await this.#orNothing(async () => {
      const bytes = await readFile(join(this.#folder, key)).catch((error: unknown) => {
        if (isMissing(error)) return undefined
        throw error
      })
      if (bytes == null) return undefined
      const floats = decode(bytes)
      if (floats == null) return undefined
      const seconds = this.#now() / 1000
      await utimes(join(this.#folder, key), seconds, seconds)
      this.#touch(key, bytes.length)
      return floats
    })
  }

  async put (key: string, embedding: Float32Array): Promise<void> {
    await this.#orNothing(async () => {
      const data = littleEndianBytes(embedding)
      const bytes = Buffer.concat([digest(data), data])
      if (bytes.length > this.#maxBytes) return
      const entries = this.#entries ??= await this.#scan()
      entries.delete(key)
      await this.#makeRoom(entries, bytes.length)
      // What a power cut damages is noticed by its digest: no need to wait for the disk.
      await writeWhole(join(this.#folder, key), bytes, { mode: 0o600, sync: false })
      this.#touch(key, bytes.length)
    })
  }

  async #scan (): Promise<Map<string, Entry>> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await chmod(this.#folder, 0o700)
    const found: [string, Entry][] = []
    for (const name of await readdir(this.#folder)) {
      const { size, mtimeMs } = await stat(join(this.#folder, name))
      found.push([name, { bytes: size, usedMs: mtimeMs }])
    }
    return new Map(found.sort(([, a], [, b]) => a.usedMs - b.usedMs))
  }

  async #makeRoom (entries: Map<string, Entry>, wanted: number): Promise<void> {
    let bytes = [...entries.values()].reduce((sum, entry) => sum + entry.bytes, wanted)
    for (const [name, entry] of entries) {
      if (bytes <= this.#maxBytes && entries.size < MAX_FILES) return
      await rm(join(this.#folder, name), { force: true })
      entries.delete(name)
      bytes -= entry.bytes
    }
  }

  #touch (key: string, bytes: number): void {
    this.#entries?.delete(key)
    this.#entries?.set(key, { bytes, usedMs: this.#now() })
  }

  async #orNothing<T> (work: () => Promise<T>): Promise<T | undefined> {
    if (this.#problem != null) return undefined
    try {
      return await work()
    } catch (error) {
      this.#problem = messageOf(error)
      return undefined
    }
  }
}

function digest (data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}

/** Undefined for a file that is not what was written. */
function decode (bytes: Buffer): Float32Array | undefined {
  const data = Uint8Array.from(bytes.subarray(DIGEST_BYTES))
  if (data.length % 4 !== 0 || !digest(data).equals(bytes.subarray(0, DIGEST_BYTES))) return undefined
  const view = new DataView(data.buffer)
  return Float32Array.from({ length: data.length / 4 }, (_, i) => view.getFloat32(4 * i, true))
}
