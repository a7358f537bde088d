import { createHash } from 'node:crypto'
import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { InputError } from '../errors.ts'
import { makePrivateFolder, namesIn, writeFileSafely } from '../home/files.ts'

/**
 * Files of a PACS on this disk, a folder for each address that was read: for this user alone, under names that are hashes. When `maxBytes`
 * are full the folders unused longest go, never the one that is being filled.
 */
export class PacsCache {
  readonly #root: string
  readonly #maxBytes: number
  /** bytes by folder, the one unused longest last */
  readonly #folders: LRUCache<string, number>
  readonly #gone: string[] = []

  private constructor (root: string, maxBytes: number) {
    this.#root = root
    this.#maxBytes = maxBytes
    this.#folders = new LRUCache({
      maxSize: Math.max(1, maxBytes),
      sizeCalculation: (bytes) => Math.max(1, bytes),
      noUpdateTTL: true,
      dispose: (_, name, reason) => { if (reason === 'evict') this.#gone.push(name) }
    })
  }

  static async open (root: string, maxBytes: number): Promise<PacsCache> {
    const cache = new PacsCache(root, maxBytes)
    await makePrivateFolder(root)
    const found = await Promise.all((await namesIn(root)).map(async (name) => {
      const sizes = await Promise.all((await namesIn(join(root, name))).map(async (file) => (await stat(join(root, name, file))).size))
      return { name, bytes: sizes.reduce((sum, size) => sum + size, 0), usedMs: (await stat(join(root, name))).mtimeMs }
    }))
    for (const { name, bytes } of found.sort((a, b) => a.usedMs - b.usedMs)) {
      // The library takes nothing that alone is more than all, and says nothing of it.
      if (bytes > maxBytes) cache.#gone.push(name)
      else cache.#folders.set(name, bytes)
    }
    await cache.#removeGone()
    return cache
  }

  /** The folder of what a text names; it is the one used last from now on. */
  async folder (address: string): Promise<PacsFolder> {
    const name = hash(address)
    await makePrivateFolder(join(this.#root, name))
    const nowS = Date.now() / 1000
    await utimes(join(this.#root, name), nowS, nowS)
    const files = new Set(await readdir(join(this.#root, name)))
    const grow = async (bytes: number): Promise<void> => { await this.#grow(name, bytes) }
    return new PacsFolder(join(this.#root, name), files, grow)
  }

  /** @throws InputError where the folder alone would be more than all may be */
  async #grow (name: string, bytes: number): Promise<void> {
    const whole = (this.#folders.get(name) ?? 0) + bytes
    if (whole > this.#maxBytes) {
      throw new InputError(
        `what is to be read from the PACS takes more than ${Math.floor(this.#maxBytes / 2 ** 20)} MiB: narrow the filter in its address, ` +
        'or raise the setting pacsCache'
      )
    }
    this.#folders.set(name, whole)
    await this.#removeGone()
  }

  async #removeGone (): Promise<void> {
    for (const name of this.#gone.splice(0)) await rm(join(this.#root, name), { recursive: true, force: true })
  }
}

/** The files of one address. */
export class PacsFolder {
  readonly path: string
  readonly #files: Set<string>
  readonly #used = new Set<string>()
  readonly #grow: (bytes: number) => Promise<void>

  constructor (path: string, files: Set<string>, grow: (bytes: number) => Promise<void>) {
    this.path = path
    this.#files = files
    this.#grow = grow
  }

  /** The path of an instance, which is fetched where it is not there yet. */
  async keep (sop: string, fetch: () => Promise<Uint8Array>): Promise<string> {
    const name = `${hash(sop)}.dcm`
    this.#used.add(name)
    const path = join(this.path, name)
    if (this.#files.has(name)) return path
    const bytes = await fetch()
    await this.#grow(bytes.length)
    await writeFileSafely(path, bytes)
    this.#files.add(name)
    return path
  }

  /** A file that is not wanted after all. */
  leaveOut (path: string): void {
    this.#used.delete(basename(path))
  }

  /** Removes what the PACS does not have any more, or what is not wanted now. */
  async removeOthers (): Promise<void> {
    for (const name of this.#files) if (!this.#used.has(name)) await rm(join(this.path, name), { force: true })
  }
}

function hash (text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
