import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { isMissing, makePrivateFolder, PRIVATE_FILE } from '../home/files.ts'

const NAME = 'patients.key'
const BYTES = 32

/**
 * The key by which a home hashes the patients of its DICOM files, made when it is first asked for; it never leaves the home. @throws
 * InputError where it is damaged
 */
export function patientKey (privateStore: string): () => Promise<Uint8Array> {
  const path = join(privateStore, NAME)
  return async () => {
    const found = await readFile(path).catch(async (error: unknown) => {
      if (!isMissing(error)) throw error
      await makePrivateFolder(privateStore)
      await writeFile(path, randomBytes(BYTES), { flag: 'wx', mode: PRIVATE_FILE }).catch((raced: NodeJS.ErrnoException) => {
        if (raced.code !== 'EEXIST') throw raced
      })
      return await readFile(path)
    })
    if (found.length === BYTES) return found
    throw new InputError(`${path} is damaged: restore it from a backup, or remove it, and DICOM patients get new names and sides`)
  }
}
