import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { DirectFile, type DirectFileInit } from '../../../../src/home/direct-file.ts'
import { writeFileSafely, writePartsSafely } from '../../../../src/home/files.ts'

const BLOCK = 4_096
const STAGED = 4_194_304
const MOST = 2 * STAGED + 5
const numbers = Uint8Array.from({ length: MOST }, (_, i) => i * 31 >> 3)
const bytesOf = (length: number): Uint8Array => numbers.slice(0, length)
const anError = async (work: Promise<unknown>): Promise<string | undefined> =>
  await work.then(() => undefined, (error: NodeJS.ErrnoException) => error.code)

describe('a file past the page cache', () => {
  let folder: string

  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'direct-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  async function written (parts: readonly Uint8Array[], init: DirectFileInit, first?: Uint8Array): Promise<Buffer> {
    const path = join(folder, 'file')
    const file = await DirectFile.create(path, init)
    for (const part of parts) await file.append(part)
    await file.finish(first)
    const bytes = await readFile(path)
    await rm(path)
    return bytes
  }

  for (
    const [where, staged] of [['past the page cache', undefined], [
      'through it, where that cannot be',
      new Uint8Array(2 * BLOCK + 1).subarray(1)
    ]] as const
  ) {
    const init = staged == null ? {} : { staged }

    it(`holds what was appended, whatever its length, ${where}`, async () => {
      for (const length of [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, STAGED - 1, STAGED, STAGED + 1, MOST]) {
        const bytes = bytesOf(length)
        const cut = length / 3 | 0
        expect((await written([bytes.subarray(0, cut), bytes.subarray(cut)], init)).equals(bytes), String(length)).to.equal(true)
      }
    })

    it(`has its beginning last, where that was reserved, ${where}`, async () => {
      const [first, rest] = [bytesOf(BLOCK).reverse(), bytesOf(BLOCK + 3)]
      expect((await written([rest], { ...init, reserved: BLOCK }, first)).equals(Buffer.concat([first, rest]))).to.equal(true)
    })
  }

  it('two at once keep apart', async () => {
    const [one, other] = await Promise.all(['one', 'other'].map(async (name) => await DirectFile.create(join(folder, name))))
    for (let i = 0; i < 3; i++) {
      await Promise.all([one!.append(new Uint8Array(STAGED - i).fill(1)), other!.append(new Uint8Array(STAGED + i).fill(2))])
    }
    await Promise.all([one!.finish(), other!.finish()])
    expect((await readFile(join(folder, 'one'))).equals(Buffer.alloc(3 * STAGED - 3, 1))).to.equal(true)
    expect((await readFile(join(folder, 'other'))).equals(Buffer.alloc(3 * STAGED + 3, 2))).to.equal(true)
  })

  it('is new', async () => {
    await writeFile(join(folder, 'file'), 'mine')
    expect(await anError(DirectFile.create(join(folder, 'file')))).to.equal('EEXIST')
    expect(await readFile(join(folder, 'file'), 'utf8')).to.equal('mine')
  })

  it('takes another one\'s place as a whole, in a folder that need not be there, and leaves nothing aside', async () => {
    const path = join(folder, 'below', 'adapter.safetensors')
    await writePartsSafely(path, [bytesOf(9_000)])
    await writePartsSafely(path, [bytesOf(5), bytesOf(7)])
    expect(await readFile(path)).to.deep.equal(Buffer.concat([bytesOf(5), bytesOf(7)]))
    expect((await stat(path)).mode & 0o777).to.equal(0o600 & ~process.umask())
    expect(await readdir(join(folder, 'below'))).to.deep.equal(['adapter.safetensors'])
  })

  it('leaves nothing aside when it cannot take its place', async () => {
    await mkdir(join(folder, 'adapter.safetensors'))
    const path = join(folder, 'adapter.safetensors')
    for (
      const write of [async () => {
        await writePartsSafely(path, [bytesOf(5)])
      }, async () => {
        await writeFileSafely(path, bytesOf(5))
      }]
    ) {
      expect(await write().catch((error: unknown) => error), 'named as the caller knows it').to.include({ code: 'EISDIR', path })
    }
    expect(await readdir(folder)).to.deep.equal(['adapter.safetensors'])
  })
})
