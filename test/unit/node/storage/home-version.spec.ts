import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { SOFTWARE } from '../../../../src/common/software.ts'
import { InputError } from '../../../../src/errors.ts'
import { MIGRATIONS, type Migration } from '../../../../src/home/migrations.ts'
import { markNewHome, migrateHome, requireKnownHome } from '../../../../src/home/version.ts'
import { whileAlone } from '../../../../src/node/network/peer-book.ts'

const FORMAT = MIGRATIONS.at(-1)!.to

describe('the version of a home', () => {
  let home: string
  let said: string[]
  let alone: number

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'consilium-'))
    said = []
    alone = 0
  })

  afterEach(async () => { await rm(home, { recursive: true }) })

  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(join(home, name, '..'), { recursive: true })
    await writeFile(join(home, name), text)
  }
  const read = async (name: string): Promise<string> => await readFile(join(home, name), 'utf8')
  const version = async (): Promise<unknown> => JSON.parse(await read('home.json')) as unknown
  const migrate = async (migrations?: readonly Migration[]): Promise<void> => {
    const exclusively = async (work: () => Promise<void>): Promise<void> => {
      alone++
      await work()
    }
    await migrateHome(home, { exclusively, say: (sentence) => { said.push(sentence) }, ...(migrations == null ? {} : { migrations }) })
  }
  const refusal = async (work: Promise<void>): Promise<string> => {
    const error = await work.then(() => undefined, (reason: unknown) => reason)
    expect(error).to.be.instanceOf(InputError)
    return (error as Error).message
  }
  /** To format 2 and 3: two files become one, which is struck after the first of them. */
  const toThree = (strike: () => void): readonly Migration[] => [
    { to: 2, keeps: ['b'] },
    {
      to: 3,
      keeps: ['a', 'folder', 'absent'],
      run: async () => {
        const text = await read('a').catch(() => '')
        if (text !== '') await write('new', text + await read('folder/b'))
        await rm(join(home, 'a'), { force: true })
        strike()
        await rm(join(home, 'folder'), { recursive: true, force: true })
      }
    }
  ]

  async function old (): Promise<void> {
    for (const [name, text] of [['identity.key', 'k'], ['a', 'one '], ['folder/b', 'two'], ['b', 'zero']] as const) await write(name, text)
  }

  it('is the one of package.json', () => {
    const { version: released } = createRequire(import.meta.url)('../../../../package.json') as { version: string }
    expect(SOFTWARE).to.equal(released)
  })

  it('is written for a new home, and a folder without a site is none', async () => {
    await migrate()
    await requireKnownHome(home)
    expect(await readdir(home)).to.be.empty
    await markNewHome(home)
    expect(await version()).to.deep.equal({ format: FORMAT, software: SOFTWARE })
    await migrate()
    expect([alone, said]).to.deep.equal([0, []])
  })

  it('is added to a home of format 1, whose member book is kept for software that cannot read the new one', async () => {
    await write('identity.key', 'k')
    await write('membership/members.json', '[]')
    await requireKnownHome(home)
    await markNewHome(home)
    expect(await readdir(home), 'what only reads or makes homes leaves it').to.deep.equal(['identity.key', 'membership'])
    await migrate()
    expect(await version()).to.deep.equal({ format: 2, software: SOFTWARE })
    expect(await read('before-format-2/membership/members.json')).to.equal('[]')
    expect((await stat(join(home, 'before-format-2'))).mode & 0o777).to.equal(0o700)
    expect(said).to.have.length(1)
    expect(said[0]).to.contain('from format 1 to 2').and.contain(join(home, 'before-format-2'))
    await migrate()
    expect([alone, said.length]).to.deep.equal([1, 1])
  })

  it('grows step by step, each with copies of its own', async () => {
    await old()
    await migrate(toThree(() => {}))
    expect(await version()).to.deep.equal({ format: 3, software: SOFTWARE })
    expect(await read('new')).to.equal('one two')
    expect(await readdir(home)).to.have.members(['b', 'before-format-2', 'before-format-3', 'home.json', 'identity.key', 'new'])
    expect(await read('before-format-3/a') + await read('before-format-3/folder/b')).to.equal('one two')
    expect(said).to.have.length(2)
  })

  it('keeps a copy of what a link leads to, which is written later, and not the link', async () => {
    await write('identity.key', 'k')
    await write('elsewhere.json', '[]')
    await mkdir(join(home, 'membership'))
    await symlink(join(home, 'elsewhere.json'), join(home, 'membership', 'members.json'))
    await migrate()
    await write('membership/members.json', 'new')
    expect(await read('elsewhere.json')).to.equal('new')
    expect(await read('before-format-2/membership/members.json')).to.equal('[]')
  })

  it('goes on where a migration was interrupted in its changes, with the copies of before', async () => {
    await old()
    const struck = toThree(() => { throw new Error('power cut') })
    await migrate(struck).then(() => { throw new Error('was not struck') }, () => {})
    const reading = await refusal(requireKnownHome(home, struck))
    expect(reading).to.contain('from format 2 to 3').and.contain('interrupted').and.contain('consilium start')
    await migrate(toThree(() => {}))
    expect(await version()).to.deep.equal({ format: 3, software: SOFTWARE })
    expect(await read('new')).to.equal('one two')
    expect(await read('before-format-3/a')).to.equal('one ')
    expect(await readdir(home)).to.not.include('before-format-3-2')
    expect(said.at(-1)).to.contain('from format 2 to 3').and.contain('before-format-3')
  })

  it('begins again where a migration was interrupted in its copies', async () => {
    await old()
    await write('before-format-2.writing/b', 'half')
    await migrate(toThree(() => {}))
    expect(await read('before-format-2/b')).to.equal('zero')
    expect(await readdir(home)).to.not.include('before-format-2.writing')
  })

  it('keeps the copies of an earlier migration, too, where a home had been brought back', async () => {
    await old()
    await write('before-format-2/b', 'from long ago')
    await migrate(toThree(() => {}))
    expect(await read('before-format-2/b')).to.equal('from long ago')
    expect(await read('before-format-2-2/b')).to.equal('zero')
  })

  it('of newer software is refused in one sentence with both formats and versions, to read as to write', async () => {
    const written = [{ format: 7, software: '9.1.0', more: true }, { format: FORMAT, software: '9.1.0', migratingTo: 7 }]
    for (const each of written) {
      await write('home.json', JSON.stringify(each))
      for (const work of [requireKnownHome, async () => { await migrate() }, markNewHome]) {
        const sentence = await refusal(work(home))
        for (const part of ['format 7', '9.1.0', `formats up to ${FORMAT}`, SOFTWARE, 'install']) expect(sentence).to.contain(part)
      }
      expect(JSON.parse(await read('home.json'))).to.deep.equal(each)
    }
  })

  it('that cannot be told is not guessed', async () => {
    const backward = '{"format":2,"software":"0.2.0","migratingTo":1}'
    const standing = '{"format":1,"software":"0.2.0","migratingTo":1}'
    const unversioned = ['{"format":0,"software":"0.2.0"}', '{"format":"2","software":"0.2.0"}', '{"format":2}']
    for (const text of ['', 'null', '{}', ...unversioned, backward, standing]) {
      await write('home.json', text)
      expect(await refusal(migrate()), text).to.contain('does not say which format')
      expect(await refusal(requireKnownHome(home)), text).to.contain(join(home, 'home.json'))
    }
  })

  it('is changed by one process alone: the other is refused, and finds nothing left to do later', async () => {
    await old()
    const going = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const first = whileAlone(home, () => {}, async () => {
      begun.resolve()
      await going.promise
      await migrate()
    })
    await begun.promise
    let ran = false
    const second = migrateHome(home, {
      exclusively: async (work) => { await whileAlone(home, () => {}, work) },
      say: () => { ran = true }
    })
    expect(await refusal(second)).to.contain(`another daemon is running in ${home}`)
    going.resolve()
    await first
    await migrateHome(home, { exclusively: async () => { ran = true }, say: () => {} })
    expect(ran).to.equal(false)
    expect(said).to.have.length(1)
  })
})
