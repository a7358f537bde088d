import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { describeSystemError, isSystemError } from '../../../../src/cli/system-error.ts'
import { readIfThere, writeFileSafely } from '../../../../src/home/files.ts'
import { fetchControl } from '../../../../src/node/control/client.ts'

const NOBODY = 65_534

describe('what the system refuses', () => {
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    await writeFile(join(folder, 'file'), '')
    await mkdir(join(folder, 'home'))
  })

  after(async () => { await rm(folder, { recursive: true }) })

  async function sentence (work: () => Promise<unknown>): Promise<string> {
    const error = await work().then(() => undefined, (reason: unknown) => reason)
    return isSystemError(error) ? describeSystemError(error) : String(error)
  }

  for (
    const [what, work, said] of [
      ['a file that is not there', async (at: string) => await readFile(join(at, 'gone')), 'gone does not exist: check the name'],
      ['a folder instead of a file, read', async (at: string) =>
        await readIfThere(join(at, 'home')), 'home is a folder where a file is needed: name a file'],
      ['a folder instead of a file, written', async (at: string) => {
        await writeFileSafely(join(at, 'home'), '')
      }, 'home is a folder where a file is needed: name a file'],
      ['a file instead of a folder', async (at: string) =>
        await readdir(join(at, 'file')), 'file is not a folder, or lies below a file: check the name'],
      ['a file in the way of a folder', async (at: string) => {
        await writeFileSafely(join(at, 'file', 'identity.key'), '')
      }, 'file exists already and is in the way: move it, or name another place']
    ] as const
  ) {
    it(`${what}: a sentence`, async () => {
      expect(await sentence(async () => { await work(folder) })).to.equal(join(folder, said))
    })
  }

  it('says that permission is denied, by the name that the caller knows', async () => {
    const home = join(folder, 'home')
    await chmod(home, 0o000)
    await chmod(folder, 0o755)
    const own = process.geteuid!()
    // root may do everything.
    if (own === 0) process.seteuid!(NOBODY)
    try {
      const denied = (name: string): string =>
        `${join(home, name)} cannot be read or written: permission is denied; run this as the user who owns it, or name another place`
      expect(await sentence(async () => await fetchControl(home, '/status'))).to.equal(denied('home.json'))
      expect(await sentence(async () => { await writeFileSafely(join(home, 'identity.key'), '') })).to.equal(denied('identity.key'))
    } finally {
      if (own === 0) process.seteuid!(own)
      await chmod(home, 0o700)
    }
  })

  it('names no path where the system gave none, and leaves other failures in its words', () => {
    const failure = (code: string): NodeJS.ErrnoException =>
      Object.assign(new Error(`${code}: as the system says it`), { code, syscall: 'write' })
    expect(describeSystemError(failure('ENOSPC'))).to.equal('a file cannot be written: the disk is full; make room and run this again')
    expect(describeSystemError(failure('ECONNRESET'))).to.equal('ECONNRESET: as the system says it')
  })
})
