import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import { parseName, VOLUME_DATA } from '../../formats/file.ts'
import { isFolder, listEntries } from '../names/walk.ts'

/** PACS export by year, month, patient, study and series. */
const MOST_FOLDERS = 16
/** Files of other kinds that nobody names so. */
const OTHERS = /\.(csv|tsv|json|txt|md|xlsx?|docx?|pdf|ya?ml|bval|bvec|xml|html?|log|zip|gz|tar|exe|dll|inf|js|py|nwb)$/i

/** Files below a folder, by path, that may be DICOM by their names: those files have any ending, or none. */
export async function findCandidates (root: string): Promise<string[]> {
  const found: string[] = []
  const entered = new Set<string>()
  const enter = async (at: string, depth: number): Promise<void> => {
    const place = await realpath(join(root, at)).catch(() => at)
    if (entered.has(place)) return
    entered.add(place)
    for (const entry of await listEntries(join(root, at)).catch(nothing)) {
      const file = join(at, entry.name)
      if (await isFolder(join(root, file), entry)) {
        if (depth < MOST_FOLDERS) await enter(file, depth + 1)
      } else if (mayBeDicom(entry.name)) found.push(file)
    }
  }
  await enter('.', 0)
  return found
}

function mayBeDicom (name: string): boolean {
  return parseName(name).kind == null && !OTHERS.test(name) && !VOLUME_DATA.data.test(name)
}

/** A folder that cannot be read is said where images of other formats are looked for. */
function nothing (error: unknown): never[] {
  if (error instanceof InputError) return []
  throw error
}
