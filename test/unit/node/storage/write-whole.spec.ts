import { execFile } from 'node:child_process'
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { writeWhole } from '../../../../src/common/write-whole.ts'

const MODULE = pathToFileURL(join(import.meta.dirname, '../../../../src/common/write-whole.ts')).href

describe('a file written whole', () => {
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    path = join(folder, 'file')
  })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  async function failure (work: Promise<unknown>): Promise<NodeJS.ErrnoException> {
    return await work.then(() => { throw new Error('written') }, (error: unknown) => error as NodeJS.ErrnoException)
  }

  it('comes from text, bytes or parts, with the mode that is asked for', async () => {
    await writeWhole(path, 'text', { mode: 0o600 })
    expect([await readFile(path, 'utf8'), (await stat(path)).mode & 0o777]).to.deep.equal(['text', 0o600])
    await writeWhole(path, Uint8Array.of(1, 2, 3).subarray(1))
    expect([...await readFile(path)]).to.deep.equal([2, 3])
    await writeWhole(path, (async function * () { yield * ['a', Uint8Array.of(98)] })())
    expect(await readFile(path, 'utf8')).to.equal('ab')
    expect(await readdir(folder)).to.deep.equal(['file'])
  })

  it('keeps the mode of the file that it replaces where none is asked for', async () => {
    await writeFile(path, '')
    await chmod(path, 0o640)
    await writeWhole(path, 'new')
    expect((await stat(path)).mode & 0o777).to.equal(0o640)
  })

  it('leaves the old one, and nothing else, when its parts fail to come', async () => {
    await writeFile(path, 'old')
    const error = await failure(writeWhole(path, (async function * () {
      yield 'half'
      throw new RangeError('no more')
    })()))
    expect(error).to.be.instanceOf(RangeError)
    expect([await readFile(path, 'utf8'), await readdir(folder)]).to.deep.equal(['old', ['file']])
  })

  it('writes the file that a link points to, or where asked replaces the link and leaves that file', async () => {
    const original = join(folder, 'original')
    await writeFile(original, 'kept')
    await symlink(original, path)
    await writeWhole(path, 'new', { replacesLink: true })
    expect([await readFile(original, 'utf8'), await readFile(path, 'utf8')]).to.deep.equal(['kept', 'new'])
    expect((await lstat(path)).isSymbolicLink()).to.equal(false)
    await rm(path)
    await symlink(original, path)
    await writeWhole(path, 'through')
    expect([await readFile(original, 'utf8'), (await lstat(path)).isSymbolicLink()]).to.deep.equal(['through', true])
    expect((await readdir(folder)).sort()).to.deep.equal(['file', 'original'])
  })

  it('names the place that the caller knows', async () => {
    const error = await failure(writeWhole(join(folder, 'no', 'file'), ''))
    expect(error).to.include({ code: 'ENOENT', path: join(folder, 'no', 'file') })
  })

  it('leaves the old one where there is room for a part of the new alone', async () => {
    await writeFile(path, 'old')
    // Files of this process end after 4,000 blocks, as if the disk were full there; the signal that says so would end it.
    const script = `
      process.on('SIGXFSZ', () => {})
      const { writeWhole } = await import(process.argv[1])
      await writeWhole(process.argv[2], Buffer.alloc(3_000_000)).then(() => console.log('written'), ({ code }) => console.log(code))`
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      'ulimit -f 4000 && exec "$0" --import tsx --input-type=module -e "$@"',
      process.execPath,
      script,
      MODULE,
      path
    ])
    expect(stdout.trim()).to.equal('EFBIG')
    expect([await readFile(path, 'utf8'), await readdir(folder)]).to.deep.equal(['old', ['file']])
  })
})
