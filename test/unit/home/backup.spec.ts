import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { readRestored, restoreBackup, writeBackup } from '../../../src/home/backup.ts'
import { isThere, namesIn } from '../../../src/home/files.ts'
import { sitePaths } from '../../../src/home/paths.ts'

const MADE = new Date('2026-01-02T03:04:05.000Z')

describe('a backup of a home', () => {
  let folder: string
  let home: string
  let file: string
  const at = (name: string): string => join(folder, name)

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    home = at('home')
    file = at('site.tar.gz')
    const { identity, adapter } = sitePaths(home)
    for (const [path, text] of [
      [identity, 'key'], [adapter, 'numbers'], [join(home, 'private/experts.safetensors'), 'experts'],
      [join(home, 'private/features/a'), 'pixels'], [join(home, 'private/embeddings/b'), 'pixels'], [join(home, 'control.json'), '{}'],
      [join(home, 'inventory.json'), '{}']
    ] as const) {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text, { mode: 0o600 })
    }
  })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  const refusal = async (work: Promise<unknown>): Promise<string> =>
    await work.then(() => { throw new Error('it was done') }, (error: Error) => `${error.name}: ${error.message}`)

  it('holds all but what is of one run and what is made of pixels, for its user alone, and makes the same home again', async () => {
    await writeBackup(home, file, MADE)
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
    const again = at('again')
    expect(await restoreBackup(file, again)).to.equal(MADE.toISOString())
    expect((await namesIn(again)).sort()).to.deep.equal(['adapter.safetensors', 'identity.key', 'private', 'restored.json'])
    expect(await namesIn(join(again, 'private'))).to.deep.equal(['experts.safetensors'])
    expect(await readFile(sitePaths(again).adapter, 'utf8')).to.equal('numbers')
    expect((await stat(sitePaths(again).identity)).mode & 0o777).to.equal(0o600)
    expect(await readRestored(sitePaths(again))).to.deep.equal({ made: MADE.toISOString() })
    expect(await readRestored(sitePaths(home))).to.equal(undefined)
  })

  it('overwrites nothing, and is taken from no empty folder', async () => {
    await writeBackup(home, file, MADE)
    expect(await refusal(writeBackup(home, file, MADE))).to.match(/^InputError: .*is there already/)
    expect(await refusal(writeBackup(home, join(home, 'b.tar.gz'), MADE))).to.match(/^InputError: .*lies in the home itself/)
    expect(await refusal(writeBackup(at('none'), at('c.tar.gz'), MADE))).to.match(/^InputError: .*holds no site/)
    expect(await refusal(restoreBackup(file, home))).to.match(/^InputError: .*is not empty/)
    expect(await refusal(restoreBackup(at('none.tar.gz'), at('new')))).to.match(/^InputError: .*is not there/)
  })

  it('that is damaged, or is none, makes no home', async () => {
    await writeBackup(home, file, MADE)
    await truncate(file, (await stat(file)).size - 100)
    await writeFile(at('text'), 'no archive')
    for (const bad of [file, at('text')]) {
      expect(await refusal(restoreBackup(bad, at('new')))).to.match(/^InputError: .*(is damaged, or no backup|is no backup)/)
      expect(await isThere(at('new'))).to.equal(false)
      expect((await namesIn(folder)).filter((name) => name.endsWith('.restoring'))).to.deep.equal([])
    }
  })
})
