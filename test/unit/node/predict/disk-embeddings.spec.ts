import { chmod, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { DiskEmbeddings } from '../../../../src/site-model/predict/disk-embeddings.ts'

const ONE = Float32Array.of(1, -2, Math.PI)
const FILE_BYTES = 32 + 12

describe('embeddings on disk', () => {
  let folder = ''
  /** Later than any file was written, since reading sets the time of use. */
  let time = Date.now() + 1e9
  beforeEach(async () => { folder = join(await mkdtemp(join(tmpdir(), 'consilium-embeddings-')), 'private', 'embeddings') })
  afterEach(async () => { await rm(join(folder, '..', '..'), { recursive: true }) })

  const now = (): number => {
    time += 1_000
    return time
  }
  const open = (maxBytes: number): DiskEmbeddings => new DiskEmbeddings({ folder, maxBytes, now })

  it('outlive the process, for this user alone', async () => {
    await open(1e6).put('a', ONE)
    expect(await open(1e6).get('a')).to.deep.equal(ONE)
    expect(await open(1e6).get('b')).to.equal(undefined)
    expect((await stat(folder)).mode & 0o777).to.equal(0o700)
    expect((await stat(join(folder, '..'))).mode & 0o777).to.equal(0o700)
    expect((await stat(join(folder, 'a'))).mode & 0o777).to.equal(0o600)
  })

  it('make room by forgetting what was unused longest, across processes', async () => {
    const store = open(2 * FILE_BYTES)
    await store.put('a', ONE)
    await store.put('b', ONE)
    await store.get('a')
    await store.put('c', ONE)
    expect((await readdir(folder)).sort()).to.deep.equal(['a', 'c'])
    await open(1e6).get('a')
    await open(2 * FILE_BYTES).put('d', ONE)
    expect((await readdir(folder)).sort()).to.deep.equal(['a', 'd'])
    await open(2 * FILE_BYTES).put('a', ONE)
    expect((await readdir(folder)).sort()).to.deep.equal(['a', 'd'])
    await open(FILE_BYTES - 1).put('e', ONE)
    expect((await readdir(folder)).sort()).to.deep.equal(['a', 'd'])
  })

  it('are not believed when damaged', async () => {
    const store = open(1e6)
    await store.put('a', ONE)
    await store.put('b', ONE)
    await truncate(join(folder, 'a'), FILE_BYTES - 4)
    const bytes = await readFile(join(folder, 'b'))
    bytes[40]! ^= 1
    await writeFile(join(folder, 'b'), bytes)
    await writeFile(join(folder, 'c'), '')
    for (const key of ['a', 'b', 'c']) expect(await store.get(key)).to.equal(undefined)
    expect(store.problem).to.equal(undefined)
    await store.put('a', ONE)
    expect(await store.get('a')).to.deep.equal(ONE)
  })

  it('a disk that refuses is said, and asked no more', async () => {
    await writeFile(join(folder, '..', '..', 'private'), 'a file where the folder should be')
    const store = open(1e6)
    await store.put('a', ONE)
    expect(store.problem).to.match(/ENOTDIR|EEXIST/)
    expect(await store.get('a')).to.equal(undefined)
  })

  it('an open folder is closed', async () => {
    await open(1e6).put('a', ONE)
    await chmod(folder, 0o755)
    await open(1e6).put('b', ONE)
    expect((await stat(folder)).mode & 0o777).to.equal(0o700)
  })
})
