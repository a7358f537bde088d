import { mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { PacsCache } from '../../../src/dicomweb/pacs-cache.ts'
import { InputError } from '../../../src/errors.ts'

const MIB = 2 ** 20

describe('the cache of files of a PACS', () => {
  let root: string
  beforeEach(async () => { root = join(await mkdtemp(join(tmpdir(), 'consilium-')), 'pacs') })
  afterEach(async () => { await rm(join(root, '..'), { recursive: true }) })

  const file = async (): Promise<Uint8Array> => new Uint8Array(MIB)
  const never = async (): Promise<Uint8Array> => { throw new Error('it was fetched twice') }

  async function fill (cache: PacsCache, address: string, count: number): Promise<string> {
    const folder = await cache.folder(address)
    for (let sop = 0; sop < count; sop++) await folder.keep(`1.${sop}`, file)
    return folder.path
  }

  it('keeps files under hashes, fetches none twice, and removes those that are not asked for any more', async () => {
    const path = await fill(await PacsCache.open(root, 8 * MIB), 'a', 3)
    for (const name of await readdir(path)) expect(name).to.match(/^[0-9a-f]{32}\.dcm$/)
    for (const folder of [root, path]) expect((await stat(folder)).mode & 0o777).to.equal(0o700)
    const again = await (await PacsCache.open(root, 8 * MIB)).folder('a')
    await again.keep('1.0', never)
    again.leaveOut(await again.keep('1.1', never))
    await again.removeOthers()
    expect(await readdir(path)).to.have.length(1)
  })

  it('lets go of the folder unused longest, and refuses what alone is too much', async () => {
    const cache = await PacsCache.open(root, 4 * MIB)
    const [a, b] = [await fill(cache, 'a', 2), await fill(cache, 'b', 2)]
    await utimes(a, 2, 2)
    await utimes(b, 1, 1)
    const next = await PacsCache.open(root, 4 * MIB)
    const c = await fill(next, 'c', 1)
    expect((await readdir(root)).sort()).to.deep.equal([a, c].map((path) => path.slice(root.length + 1)).sort())
    const refused = await fill(next, 'd', 5).then(() => undefined, (error: unknown) => error)
    expect(refused).to.be.instanceOf(InputError)
    expect((refused as Error).message).to.include('more than 4 MiB').and.include('pacsCache')
    const smaller = await PacsCache.open(root, MIB)
    expect(await readdir(root)).to.deep.equal([])
    await fill(smaller, 'e', 1)
  })
})
