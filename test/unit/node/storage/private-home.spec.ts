import { chmod, lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createIdentity } from '../../../../src/federation/create-identity.ts'
import { makePrivateFolder, writeFileSafely, writeJson, writePartsSafely } from '../../../../src/home/files.ts'
import { sitePaths } from '../../../../src/home/paths.ts'
import { prepareHome } from '../../../../src/node/prepare-home.ts'
import { createFederation } from '../../../../src/site-model/create-federation.ts'

async function openTo (folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true })
  const open = await Promise.all(['.', ...entries].map(async (name) => {
    return ((await lstat(join(folder, name))).mode & 0o077) === 0 ? [] : [name]
  }))
  return open.flat()
}

describe('what others on the machine may read of a home', () => {
  let folder: string
  let home: string
  const said: string[] = []

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    home = join(folder, 'above', 'home')
    said.length = 0
  })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  it('is nothing, of a new one and of all that its helpers write', async () => {
    await createFederation({ home, name: 'test', rounds: 1 })
    await writeFileSafely(join(home, 'a', 'b.json'), '{}')
    await writePartsSafely(join(home, 'c', 'd.safetensors'), [Buffer.alloc(3)])
    await writeJson(join(home, 'e', 'f.json'), {})
    await makePrivateFolder(join(home, 'g', 'h'))
    expect(await openTo(join(folder, 'above'))).to.deep.equal([])
    await prepareHome(home, (sentence) => { said.push(sentence) })
    expect(said).to.deep.equal([])
  })

  it('is taken from them in a home of older software, and that is said once', async () => {
    await createIdentity(home)
    const { adapter, audit, exchanges, roundAdapters } = sitePaths(home)
    for (const name of [exchanges, roundAdapters, audit, `${audit}-12345678`]) await mkdir(name)
    const previous = adapter.replace('.safe', '.previous.safe')
    const files = [adapter, previous, join(roundAdapters, 'round-0001.safetensors'), join(audit, 'head.json')]
    for (const name of files) await writeFile(name, '')
    await writeFile(join(home, 'notes of the user'), '')
    await symlink(join(home, 'notes of the user'), join(exchanges, 'link'))
    for (const name of ['.', ...await readdir(home, { recursive: true })]) {
      if (!name.includes('identity')) await chmod(join(home, name), name.includes('.') && name !== '.' ? 0o644 : 0o755)
    }
    await prepareHome(home, (sentence) => { said.push(sentence) })
    expect(await openTo(home)).to.have.members(['notes of the user', 'exchanges/link'])
    expect(said).to.have.length(1)
    expect(said[0]).to.match(/^other users of this machine could read .*home: it is closed to them now \(10 files and folders\)$/)
    await prepareHome(home, (sentence) => { said.push(sentence) })
    expect(said).to.have.length(1)
  })

  it('is not looked at where there is no site', async () => {
    await mkdir(join(folder, 'private'))
    await chmod(join(folder, 'private'), 0o755)
    await prepareHome(folder, (sentence) => { said.push(sentence) })
    expect(await openTo(folder)).to.deep.equal(['private'])
  })
})
