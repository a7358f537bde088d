import { lstat, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'

type Data = string | Uint8Array | AsyncIterable<string | Uint8Array>

interface WriteOptions {
  /** That of the file which is replaced, or the system's, when missing. */
  readonly mode?: number
  /** False for what may be lost with the power; it is whole or not there all the same where the program alone ends. */
  readonly sync?: boolean
  /** A link in this place is replaced; what it points to stays as it is. Otherwise the file that it points to is written. */
  readonly replacesLink?: boolean
}

/**
 * Writes beside the place, syncs and renames, so that a reader sees the old or the new file, never half of one. The folder must be
 * there. @throws what the system says, with `path` as its path
 */
export async function writeWhole (path: string, data: Data, { replacesLink = false, ...options }: WriteOptions = {}): Promise<void> {
  if (!replacesLink || !await isLink(path)) {
    await writeBeside(path, data, options)
    return
  }
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}`)
  await writeBeside(beside, data, options).catch((error: unknown) => { throw withPath(error, path) })
  await rename(beside, path)
}

async function isLink (path: string): Promise<boolean> {
  return await lstat(path).then((found) => found.isSymbolicLink(), () => false)
}

async function writeBeside (path: string, data: Data, { mode, sync = true }: WriteOptions): Promise<void> {
  // The library's own write takes the part that a full disk had room for as the whole (8.0.0): it is given nothing to write.
  const fill = async (aside: string): Promise<void> => { await writeFile(aside, data) }
  const options = { fsync: sync, tmpfileCreated: fill as (aside: string) => void, ...(mode == null ? {} : { mode }) }
  await writeFileAtomic(path, '', options).catch((error: unknown) => { throw withPath(error, path) })
}

/** The system names the file that is written aside, or none at all. */
export function withPath (error: unknown, path: string): unknown {
  return error instanceof Error && 'syscall' in error ? Object.assign(error, { path }) : error
}
