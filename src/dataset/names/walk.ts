import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemReason } from '../../common/system-error.ts'
import { InputError } from '../../errors.ts'
import { FORMATS, parseName, VOLUME_DATA } from '../../formats/file.ts'
import type { Problem } from '../types.ts'

/** An image file below a data folder. */
export interface Found {
  /** path below the data folder */
  readonly file: string
  /** folders below the folder of images or masks, from the outside in */
  readonly folders: readonly string[]
  /** name without its ending, composed (NFC): macOS writes é as e and an accent, other systems as one letter */
  readonly stem: string
  readonly kind: 'picture' | 'volume'
}

/** System litter that no one means as data. */
const LITTER = /^(\..*|thumbs\.db|desktop\.ini|__macosx)$/i
/** What dcm2niix writes beside a volume. */
const SIDECAR = /\.(json|bval|bvec)$/i
const OTHER_REASON = `the format is not read: store ${FORMATS}`
const DICOM = /\.(dcm|dicom|ima)$/i
const DICOM_REASON = 'DICOM is segmented by its series: name its folder with predict --dicom'
/** Deeper folders are another data set. */
const MOST_FOLDERS = 4

/** What a folder holds but litter, by name. @throws InputError when it cannot be read */
export async function listEntries (folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter(({ name }) => !LITTER.test(name)).sort((a, b) => a.name < b.name ? -1 : 1)
  } catch (error) {
    throw new InputError(`${folder} cannot be read: ${systemReason(error)}`)
  }
}

/**
 * All image files of a folder and of `depth` levels of folders below it, and what there is besides; with none, folders are passed over.
 * @throws InputError when it cannot be read
 */
export async function walk (root: string, folder: string, depth = MOST_FOLDERS): Promise<{ found: Found[], problems: Problem[] }> {
  const found: Found[] = []
  const problems: Problem[] = []
  const entered = new Set<string>()
  const enter = async (at: string, folders: readonly string[]): Promise<void> => {
    // A link may lead back to a folder above it.
    const place = await realpath(join(root, at)).catch(() => at)
    if (entered.has(place)) return
    entered.add(place)
    const entries = await listEntries(join(root, at))
    const hasHeaders = entries.some(({ name }) => VOLUME_DATA.header.test(name))
    for (const entry of entries) {
      const file = join(at, entry.name)
      const { stem, kind } = parseName(entry.name)
      if (!await isFolder(join(root, file), entry)) {
        if (SIDECAR.test(entry.name) || (hasHeaders && VOLUME_DATA.data.test(entry.name))) continue
        if (kind == null) problems.push({ file, reason: DICOM.test(entry.name) ? DICOM_REASON : OTHER_REASON })
        else found.push({ file, folders, stem: stem.normalize('NFC'), kind })
      } else if (folders.length < depth) await enter(file, [...folders, entry.name.normalize('NFC')])
      else if (depth > 0) problems.push({ file, reason: TOO_DEEP })
    }
  }
  await enter(folder, [])
  return { found, problems }
}

export async function isFolder (path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory()
  return await stat(path).then((target) => target.isDirectory(), () => false)
}

const TOO_DEEP = `it lies more than ${MOST_FOLDERS} folders deep and is not entered: move it up`
