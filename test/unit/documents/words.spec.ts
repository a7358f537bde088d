import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { countWords, listedWords, shareIn } from '../../../scripts/reference/words.ts'

const root = join(import.meta.dirname, '../../..')

describe('the index of ARCHITECTURE.md', () => {
  it('lists words of every room, and each still stands mostly there', async () => {
    const listed = listedWords(await readFile(join(root, 'ARCHITECTURE.md'), 'utf8'))
    const folders = (await readdir(join(root, 'src'), { withFileTypes: true })).filter((each) => each.isDirectory()).map(({ name }) => name)
    expect([...listed.keys()]).to.deep.equal(folders.sort())
    const counts = await countWords(join(root, 'src'))
    // Looser than what is listed, so that not every change makes it stale.
    const stale = [...listed].flatMap(([room, words]) => words.filter((word) => shareIn(room, word, counts) < 0.5))
    expect(stale, 'run "npm run reference" and commit what it writes').to.deep.equal([])
    expect([...listed.values()].flat()).to.have.length.above(400)
  })
})
