import { link, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { InputError } from '../../errors.ts'

/** Writes aside, fsyncs and renames, so that a reader sees the old or the new file, never half of one. */
export async function writeFileSafely (path: string, data: Uint8Array | string, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFileAtomic(path, typeof data === 'string' ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength), { mode })
}

export async function writeJson (path: string, value: unknown, mode = 0o644): Promise<void> {
  await writeFileSafely(path, JSON.stringify(value, null, 2) + '\n', mode)
}

/** The file's bytes, or undefined where there is none. */
export async function readIfThere (path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** @throws InputError naming the file when it is missing or is not JSON; `advice` says what to do. */
export async function readJson (path: string, advice: string): Promise<unknown> {
  const bytes = await readIfThere(path)
  if (bytes == null) throw new InputError(`${path} does not exist: ${advice}`)
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new InputError(`${path} is not valid JSON: ${advice}`)
  }
}

export function isMissing (error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ENOENT'
}

// What write-file-atomic appends to the name while it writes.
const LEFTOVER = /\.(safetensors|jsonl?|key)\.\d+$/

/** Removes what a killed process left half-written. Call it only while nobody else writes there. */
export async function removeLeftovers (folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  await Promise.all(names.filter((name) => LEFTOVER.test(name)).map(async (name) => { await rm(join(folder, name), { force: true }) }))
}

/** Keeps the present file under `previous` too (a hard link), so that the coming write loses nothing if it is damaged. */
export async function keepPrevious (path: string, previous: string): Promise<void> {
  const aside = `${previous}.tmp`
  await rm(aside, { force: true })
  try {
    await link(path, aside)
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  await rename(aside, previous)
}
