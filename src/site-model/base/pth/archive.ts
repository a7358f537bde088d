import { open, type FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { fromRandomAccessReaderPromise, type Entry, type ZipFile } from 'yauzl'
import { messageOf } from '../../../common/message-of.ts'
import { CorruptFileError, InputError } from '../../../errors.ts'
import { FileReader } from './file-reader.ts'

const MAX_ENTRIES = 100_000

/**
 * The entries of a zip archive by name, each read whole and checked. Stored ones alone, as torch.save writes them: a compressed one
 * could claim any size.
 */
export class Archive {
  readonly #handle: FileHandle
  readonly #zip: ZipFile
  readonly #entries: ReadonlyMap<string, Entry>

  private constructor (handle: FileHandle, zip: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.#handle = handle
    this.#zip = zip
    this.#entries = entries
  }

  /** @throws CorruptFileError when it is no zip archive, or a damaged one. */
  static async open (path: string): Promise<Archive> {
    const handle = await open(path)
    try {
      const { size } = await handle.stat()
      const zip = await sane(
        fromRandomAccessReaderPromise(new FileReader(handle, size), size, { lazyEntries: true, autoClose: false, strictFileNames: true })
      )
      return new Archive(handle, zip, await sane(readEntries(zip)))
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  get names (): string[] {
    return [...this.#entries.keys()]
  }

  /**
   * The bytes of an entry that has exactly `size` of them, or at most `limit`. @throws CorruptFileError; InputError when it is
   * compressed
   */
  async read (name: string, { size, limit = size ?? 0 }: { size?: number, limit?: number }): Promise<Buffer> {
    const entry = this.#entries.get(name)
    if (entry == null) throw new CorruptFileError(`the archive has no entry ${name}`)
    if (size != null && entry.uncompressedSize !== size) {
      throw new CorruptFileError(`the entry ${name} has ${entry.uncompressedSize} bytes, not ${size}`)
    }
    if (entry.uncompressedSize > limit) {
      throw new CorruptFileError(`the entry ${name} has ${entry.uncompressedSize} bytes; the most is ${limit}`)
    }
    if (entry.compressionMethod !== 0) {
      throw new InputError(`the entry ${name} is compressed, which torch.save never does: load it in PyTorch and save it again`)
    }
    const bytes = await sane(collect(this.#zip, entry))
    if (crc32(bytes) !== entry.crc32) throw new CorruptFileError(`the entry ${name} is damaged: its checksum does not match`)
    return bytes
  }

  async close (): Promise<void> {
    await this.#handle.close()
  }
}

async function readEntries (zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > MAX_ENTRIES) throw new CorruptFileError(`the archive has ${zip.entryCount} entries; the most is ${MAX_ENTRIES}`)
  const entries = new Map<string, Entry>()
  for await (const entry of zip.eachEntry()) {
    if (entries.has(entry.fileName)) throw new CorruptFileError(`the archive has two entries named ${entry.fileName.slice(0, 100)}`)
    entries.set(entry.fileName, entry)
  }
  return entries
}

async function collect (zip: ZipFile, entry: Entry): Promise<Buffer> {
  // Only here the library compares what the entry claims with what the file has.
  const stream = await zip.openReadStreamPromise(entry)
  const bytes = Buffer.allocUnsafe(entry.uncompressedSize)
  let at = 0
  for await (const chunk of stream) at += (chunk as Buffer).copy(bytes, at)
  if (at !== bytes.length) throw new CorruptFileError(`the entry ${entry.fileName} ends early`)
  return bytes
}

/** What the zip library finds wrong is a damaged file; what the system says stays as it is. */
async function sane<T> (promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof CorruptFileError || (error instanceof Error && 'syscall' in error)) throw error
    throw new CorruptFileError(`the archive is damaged (${messageOf(error)})`)
  }
}
