/** The reference: every file of a folder decoded by its library, and nothing else. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import sharp from 'sharp'

const [, , folder] = process.argv
for (const where of ['images', 'masks']) {
  for (const name of await readdir(join(folder!, where))) {
    const file = join(folder!, where, name)
    if (name.endsWith('.gz')) gunzipSync(await readFile(file))
    else await sharp(file, { limitInputPixels: false }).raw().toBuffer()
  }
}
