import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Key } from 'interface-datastore'
import { InputError } from '../../../../src/errors.ts'
import { openPeerBook, refusalOf } from '../../../../src/node/network/peer-book.ts'
import { prepareHome } from '../../../../src/node/prepare-home.ts'

const NOBODY = 65_534

describe('peer book', () => {
  let home: string

  // A path that says corruption is no damage.
  beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'consilium-corruption-')) })

  afterEach(async () => {
    await chmod(home, 0o700)
    await rm(home, { recursive: true })
  })

  async function refusal (work: () => Promise<unknown>): Promise<string> {
    const error = await work().then(() => undefined, (reason: unknown) => reason)
    expect(error).to.be.instanceOf(InputError)
    return (error as Error).message
  }

  /** root may do everything. */
  async function unprivileged<T> (work: () => Promise<T>): Promise<T> {
    const own = process.geteuid!()
    if (own === 0) process.seteuid!(NOBODY)
    try {
      return await work()
    } finally {
      if (own === 0) process.seteuid!(own)
    }
  }

  it('that no folder can be made for is refused in a sentence that names it, also where a home is brought to this format', async () => {
    await writeFile(join(home, 'identity.key'), 'k')
    await chmod(home, 0o555)
    const sentence = `${join(home, 'peers')} cannot be read or written: permission is denied; ` +
      'run this as the user who owns it, or name another place'
    expect(await unprivileged(async () => await refusal(async () => await openPeerBook(join(home, 'peers'), home)))).to.equal(sentence)
    expect(await unprivileged(async () => await refusal(async () => { await prepareHome(home, () => {}) }))).to.equal(sentence)
  })

  it('whose folder is there, but not for this user, is refused, and stays', async () => {
    await (await openPeerBook(join(home, 'peers'), home)).datastore.close()
    const files = await readdir(join(home, 'peers'))
    await chmod(join(home, 'peers'), 0o555)
    await chmod(home, 0o755)
    const said = await unprivileged(async () => await refusal(async () => await openPeerBook(join(home, 'peers'), home)))
    expect(said).to.contain(`${join(home, 'peers')} cannot be read or written: permission is denied`)
    expect(await readdir(join(home, 'peers'))).to.deep.equal(files)
  })

  it('is refused with what is in its way', async () => {
    await writeFile(join(home, 'peers'), '')
    expect(await refusal(async () => await openPeerBook(join(home, 'peers'), home)))
      .to.equal(`${join(home, 'peers')} exists already and is in the way: move it, or name another place`)
    expect(await refusal(async () => await openPeerBook(join(home, 'peers', 'below'), home))).to.contain('lies below a file')
  })

  it('is refused in a sentence for what no one foresaw', async () => {
    await mkdir(join(home, 'peers', 'LOCK'), { recursive: true })
    expect(await refusal(async () => await openPeerBook(join(home, 'peers'), home))).to.equal(
      `${join(home, 'peers')} cannot be opened: the system refused it (LEVEL_IO_ERROR); mend the folder, or choose another --home`
    )
  })

  for (const damage of ['CURRENT changed', 'CURRENT elsewhere', 'MANIFEST deleted', 'ldb cut', 'ldb emptied', 'ldb deleted']) {
    it(`damaged starts empty: ${damage}`, async () => {
      for (let i = 0; i < 3; i++) {
        const { datastore } = await openPeerBook(join(home, 'peers'), home)
        for (let k = 0; k < 50; k++) await datastore.put(new Key(`/peers/${i}-${k}`), Buffer.alloc(300, k))
        await datastore.close()
      }
      const [which, how] = damage.split(' ')
      const file = join(home, 'peers', (await readdir(join(home, 'peers'))).find((name) => name.includes(which!))!)
      const bytes = await readFile(file)
      await rm(file)
      const changes = { changed: 'nothing', elsewhere: 'MANIFEST-999999\n', cut: bytes.subarray(0, bytes.length / 2), emptied: '' }
      if (how !== 'deleted') await writeFile(file, changes[how as keyof typeof changes])
      const { datastore, wasDamaged } = await openPeerBook(join(home, 'peers'), home)
      await datastore.close()
      expect(wasDamaged).to.equal(true)
    })
  }

  it('takes the words of LevelDB for the code of the system, but none of a path', () => {
    const failed = (words: string): Error => new Error('Database failed to open', {
      cause: Object.assign(new Error(`IO error: /home/no space left/peers/LOCK: ${words}`), { code: 'LEVEL_IO_ERROR' })
    })
    for (const [words, said] of [
      ['No space left on device', '/p cannot be written: the disk is full; make room and run this again'],
      ['Disk quota exceeded', '/p cannot be written: the disk is full; make room and run this again'],
      ['Read-only file system', '/p cannot be written: its disk is read-only; name another place'],
      ['Input/output error', '/p cannot be opened: the system refused it (LEVEL_IO_ERROR); mend the folder, or choose another --home']
    ] as const) expect(refusalOf(failed(words), '/p')).to.equal(said)
  })
})
