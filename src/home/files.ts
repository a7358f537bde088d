import { randomInt } from 'node:crypto'
import { access, link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseJson } from '../common/parse-json.ts'
import { withPath, writeWhole } from '../common/write-whole.ts'
import { InputError } from '../errors.ts'
import { DirectFile } from './direct-file.ts'

/** What others on the machine have no business with: all of a home. */
export const PRIVATE_FILE = 0o600
export const PRIVATE_FOLDER = 0o700
/** What a command writes outside the home for its user. */
export const SHARED_FILE = 0o644

/** Made with all above it where there is none, for this user alone. */
export async function makePrivateFolder (path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER })
}

/** `writeWhole`, in a folder that is made where there is none; for this user alone, unless `mode` says otherwise. */
export async function writeFileSafely (path: string, data: Uint8Array | string, mode = PRIVATE_FILE): Promise<void> {
  if (mode === PRIVATE_FILE) await makePrivateFolder(dirname(path))
  else await mkdir(dirname(path), { recursive: true })
  await writeWhole(path, data, { mode })
}

const MOST_ASIDE = 2 ** 32

/** The same for large files, from parts that stay as they are until it resolves; past the page cache, and the new name is durable too. */
export async function writePartsSafely (path: string, parts: readonly Uint8Array[]): Promise<void> {
  const folder = dirname(path)
  await makePrivateFolder(folder)
  const aside = `${path}.${randomInt(MOST_ASIDE)}`
  const file = await DirectFile.create(aside, { mode: PRIVATE_FILE }).catch((error: unknown) => { throw withPath(error, path) })
  try {
    for (const part of parts) await file.append(part)
    await file.finish()
    await rename(aside, path)
  } catch (error) {
    await file.close().finally(async () => { await rm(aside, { force: true }) })
    throw withPath(error, path)
  }
  await syncFolder(folder)
}

/** Makes the names in a folder durable (a new file, a rename). */
export async function syncFolder (folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function writeJson (path: string, value: unknown, mode = PRIVATE_FILE): Promise<void> {
  await writeFileSafely(path, JSON.stringify(value, null, 2) + '\n', mode)
}

/** The file's bytes, or undefined where there is none. */
export async function readIfThere (path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw withPath(error, path)
  }
}

/** @throws InputError naming the file when it is missing or is not JSON; `advice` says what to do. */
export async function readJson (path: string, advice: string): Promise<unknown> {
  const bytes = await readIfThere(path)
  if (bytes == null) throw new InputError(`${path} does not exist: ${advice}`)
  const value = parseJson(bytes.toString('utf8'))
  if (value === undefined) throw new InputError(`${path} is not valid JSON: ${advice}`)
  return value
}

export function isMissing (error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ENOENT'
}

export async function isThere (path: string): Promise<boolean> {
  return await access(path).then(() => true, (error: unknown) => {
    if (isMissing(error)) return false
    throw error
  })
}

/** What a folder holds, in no order; nothing where there is no folder. */
export async function namesIn (folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw withPath(error, folder)
  })
}

// What writeWhole and writePartsSafely append to the name while they write.
const LEFTOVER = /\.(safetensors|jsonl?|key)\.\d+$/

/** Removes what a killed process left half-written. Call it only while nobody else writes there. */
export async function removeLeftovers (folder: string): Promise<void> {
  const names = await namesIn(folder)
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
