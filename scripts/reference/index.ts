import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sayHelp } from '../say-help.ts'
import { readPages } from './pages.ts'
import { countWords, withIndex } from './words.ts'

sayHelp(`npm run reference
Writes docs/reference and the index of ARCHITECTURE.md from the code.
`)

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'docs/reference')

await mkdir(folder, { recursive: true })
for (const [name, text] of Object.entries(await readPages())) await writeFile(join(folder, name), text)
const map = join(root, 'ARCHITECTURE.md')
await writeFile(map, withIndex(await readFile(map, 'utf8'), await countWords(join(root, 'src'))))
