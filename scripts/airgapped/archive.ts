import { rename } from 'node:fs/promises'
import { constants } from 'node:fs'
import { create } from 'tar'
import { byBytes } from './contents.ts'

const EXECUTABLE = 0o755
const READABLE = 0o644

/**
 * Packs files of `folder` into a .tar.gz: the same bytes for the same files, whoever packs them and when. Written aside and renamed.
 * @param level of gzip, 1 to 9
 */
export async function archive (folder: string, files: readonly string[], file: string, date: Date, level = 6): Promise<void> {
  const aside = `${file}.part`
  await create({
    cwd: folder,
    file: aside,
    gzip: { level },
    portable: true,
    mtime: date,
    noDirRecurse: true,
    onWriteEntry: ({ stat }) => {
      if (stat != null) stat.mode = constants.S_IFREG | ((stat.mode & constants.S_IXUSR) === 0 ? READABLE : EXECUTABLE)
    }
  }, [...files].sort(byBytes))
  await rename(aside, file)
}
