import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Pool } from '../../../src/model/pseudo/pool.ts'
import { PoolFile, removePool } from '../../../src/site-model/trainer/pool-file.ts'
import { poolOf } from './pools.ts'

const NAME = 'pseudo-masks.safetensors'

describe('the pool of pseudo-masks on disk', () => {
  let folder: string
  const problems: string[] = []
  const file = (schemaHash = 'a', isOutdated = (): Promise<boolean> => Promise.resolve(false)): PoolFile =>
    new PoolFile(folder, { schemaHash, onProblem: (reason) => { problems.push(reason) }, isOutdated })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-pool-'))
    problems.length = 0
  })

  afterEach(async () => { await rm(folder, { recursive: true }) })

  it('is read as it was written, a byte for each cell, by its owner alone', async () => {
    const pool = poolOf(3)
    await file().save(pool)
    expect(await file().load()).to.deep.equal(pool)
    const { mode, size } = await stat(join(folder, NAME))
    expect(mode & 0o777).to.equal(0o600)
    expect(size).to.be.below(3 * 64 + 2_000)
  })

  it('is empty before a round, where it is of another model, and where it is damaged, which is said', async () => {
    expect(await file().load()).to.deep.include({ round: 0 })
    await file().save(poolOf(3))
    expect((await file('b').load()).images.size).to.equal(0)
    const bytes = await readFile(join(folder, NAME))
    bytes[bytes.length - 5]! ^= 1
    await writeFile(join(folder, NAME), bytes)
    expect((await file().load()).images.size).to.equal(0)
    expect(problems).to.have.length(2)
    expect(problems[0]).to.include('is of another model: pseudo-masks are made anew')
    expect(problems[1]).to.include('is damaged (its checksum does not match): pseudo-masks are made anew')
  })

  it('is gone, and empty for who opens it anew, once it is removed', async () => {
    await file().save(poolOf(3))
    await removePool(folder)
    expect(await readdir(folder)).to.not.include(NAME)
    expect((await file().load()).images.size).to.equal(0)
    await removePool(folder)
    expect(problems).to.deep.equal([])
  })

  it('does not stay where a subject was withdrawn while its masks were made, nor where nobody can know', async () => {
    const during = [false, true]
    const site = file('a', () => Promise.resolve(during.shift() ?? false))
    await site.save(poolOf(3))
    expect(await readdir(folder)).to.deep.equal([])
    await site.save(poolOf(4))
    expect(await file().load()).to.deep.equal(poolOf(4))
    const before = file('a', () => Promise.resolve(true))
    await before.save(poolOf(5))
    expect(await before.load(), 'known for this round').to.deep.equal(poolOf(5))
    expect(await file().load(), 'and not written').to.deep.equal(poolOf(4))
    let asked = 0
    const unread = file('a', async () => { if (asked++ > 0) throw new Error('no such key'); return await Promise.resolve(false) })
    expect(await unread.save(poolOf(6)).catch(({ message }: Error) => message)).to.equal('no such key')
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('is removed with what a write left that was cut', async () => {
    await file().save(poolOf(3))
    for (const name of [`${NAME}.4711`, `${NAME}.4712`]) await writeFile(join(folder, name), 'half')
    await utimes(join(folder, `${NAME}.4711`), 0, 0)
    await removePool(folder)
    expect(await readdir(folder), 'one may still be written').to.deep.equal([`${NAME}.4712`])
  })

  it('is whole after SIGKILL in the middle of writing', async () => {
    const writer = fork(join(import.meta.dirname, 'pool-worker.ts'), [folder], { execArgv: process.execArgv, stdio: 'ignore' })
    await once(writer, 'message')
    const ended = once(writer, 'exit')
    writer.kill('SIGKILL')
    await ended
    const pool: Pool = await file().load()
    expect(pool.round).to.be.above(0)
    expect(pool).to.deep.equal(poolOf(pool.round))
    expect(problems).to.deep.equal([])
    expect(await readdir(folder)).to.include(NAME)
  }).timeout(600_000)
})
