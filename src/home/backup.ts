import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { create, extract } from 'tar'
import { z } from 'zod'
import { messageOf } from '../common/message-of.ts'
import { parseJson } from '../common/parse-json.ts'
import { CorruptFileError, InputError } from '../errors.ts'
import { readChecked, writeCheckedJson } from './checksum.ts'
import { isThere, namesIn, PRIVATE_FILE, PRIVATE_FOLDER, syncFolder } from './files.ts'
import { sitePaths, type SitePaths } from './paths.ts'

const note = z.object({
  /** When the backup was made, ISO 8601. */
  made: z.iso.datetime(),
  /** The ledger of before is put aside already. */
  begun: z.boolean().optional()
})

/** That a home was restored, and has not met another site since. */
export type Restored = z.infer<typeof note>

/** What is of one run, or made again: caches of pixels stay where they are. */
const PIXELS = 'features|embeddings|pacs|pictures\\.json|page\\.html|pseudo-masks\\.safetensors(\\.\\d+)?'
const LEFT_OUT = new RegExp(`^(control\\.json|restored\\.json|peers/LOCK|private/(${PIXELS})(/.*)?|.*\\.writing)$`)

/** Writes all of a stopped site's home into one file, for its user alone; it is as secret as the home. @throws InputError */
export async function writeBackup (home: string, file: string, made: Date): Promise<void> {
  const { identity, backup } = sitePaths(home)
  if (!await isThere(identity)) throw new InputError(`${home} holds no site: nothing to back up`)
  if (await isThere(file)) throw new InputError(`${file} is there already: choose another name`)
  if (!relative(resolve(home), resolve(file)).startsWith('..')) {
    throw new InputError(`${file} lies in the home itself: choose a place elsewhere`)
  }
  await writeCheckedJson(backup, { made: made.toISOString() })
  const aside = `${file}.writing`
  try {
    const filter = (path: string): boolean => !LEFT_OUT.test(path.replace(/^\.\//, '').replace(/\/$/, ''))
    await create({ file: aside, cwd: home, gzip: true, portable: true, mode: PRIVATE_FILE, filter }, ['.'])
    await rename(aside, file)
    await syncFolder(dirname(resolve(file)))
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
}

/** Makes a home of a backup, where there is none; returns when that was made. @throws InputError, and makes nothing */
export async function restoreBackup (file: string, home: string): Promise<string> {
  if ((await namesIn(home)).length > 0) throw new InputError(`${home} is not empty: restore into a folder that is not there yet (--home)`)
  if (!await isThere(file)) throw new InputError(`${file} is not there: name a file that "consilium backup" wrote`)
  const aside = `${resolve(home)}.restoring`
  await rm(aside, { recursive: true, force: true })
  await mkdir(aside, { recursive: true, mode: PRIVATE_FOLDER })
  try {
    await extract({ file, cwd: aside, strict: true, preserveOwner: false }).catch((error: unknown) => {
      throw new InputError(`${basename(file)} is damaged, or no backup (${messageOf(error)}): take another one`)
    })
    const { backup, restored, inventory, identity } = sitePaths(aside)
    const made = (await readNote(backup))?.made
    if (made == null || !await isThere(identity)) {
      throw new InputError(`${basename(file)} is no backup of a site: name what "consilium backup" wrote`)
    }
    await writeCheckedJson(restored, { made })
    for (const each of [backup, inventory]) await rm(each, { force: true })
    await rm(home, { recursive: true, force: true })
    await rename(aside, home)
    await syncFolder(dirname(resolve(home)))
    return made
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    throw error
  }
}

/** Undefined for a home that was not, or has met others since. @throws InputError for a damaged note */
export async function readRestored ({ restored }: SitePaths): Promise<Restored | undefined> {
  return await readNote(restored)
}

/** Training that the others may have by now is not to land a second time. */
export async function beginRestored ({ restored, unmixed, sealed }: SitePaths, { made }: Restored): Promise<void> {
  for (const folder of [unmixed, sealed]) for (const name of await namesIn(folder)) await rm(join(folder, name))
  await writeCheckedJson(restored, { made, begun: true })
}

export async function endRestored ({ restored }: SitePaths): Promise<void> {
  await rm(restored, { force: true })
}

async function readNote (path: string): Promise<Restored | undefined> {
  const text = await readChecked(path).catch((error: unknown) => {
    if (error instanceof CorruptFileError) return ''
    throw error
  })
  if (text == null) return undefined
  const { data } = note.safeParse(parseJson(text))
  if (data == null) throw new InputError(`${path} is damaged: restore the backup once more, into another folder`)
  return data
}
