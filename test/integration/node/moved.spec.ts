import { cp, mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { RoundRecord } from '../../../src/home/metrics-log.ts'
import type { Daemon } from '../../../src/node/daemon.ts'
import { Sites } from './sites.ts'

const ROUNDS = 40

describe('a home that moves to another machine', function () {
  this.timeout(600_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  function start (daemon: Daemon): Promise<unknown> {
    const run = sites.start(daemon)
    run.catch(() => {})
    return run
  }

  const roundsIn = async (path: string): Promise<number[]> =>
    (await readFile(path, 'utf8')).trim().split('\n').map((line) => (JSON.parse(line) as RoundRecord).round)

  it('is found there by who knew it elsewhere, goes on, and trains no round twice', async () => {
    sites = await Sites.create(['a', 'b', 'c'], { rounds: ROUNDS })
    const init = { manners: { delayMs: 400 }, aloneRounds: ROUNDS, foundWithinMs: 1_000 }
    const runs = [start(sites.daemon('a', init))]
    const bootstrap = (await sites.statusOf('a', ({ addresses }) => addresses.length > 0)).addresses
    runs.push(start(sites.daemon('b', { ...init, bootstrap })))
    const moving = sites.daemon('c', { ...init, bootstrap })
    const before = start(moving)
    const { addresses: former, round } = await sites.statusOf('c', (status) => status.round > 2 && status.exchanges > 0)
    moving.requestStop()
    await before

    // As `cp -a` to another disk, with the folder of before gone; no bootstrap address is given there, and the port is another.
    await mkdir(join(sites.folder, 'elsewhere'))
    await cp(sites.paths('c').home, join(sites.folder, 'elsewhere/c'), { recursive: true, preserveTimestamps: true })
    await rename(sites.paths('c').home, join(sites.folder, 'given-away'))
    const counted = (await sites.statusOf('a', ({ peers }) => peers === 1)).exchanges
    runs.push(start(sites.daemon('elsewhere/c', init)))
    const { addresses, warnings } = await sites.statusOf('elsewhere/c', (status) => status.exchanges > 0 && status.peers === 2)
    expect(addresses.some((each) => former.includes(each)), `${addresses.join()} after ${former.join()}`).to.equal(false)
    expect(warnings.join('\n')).not.to.match(/damaged|twice|restored from/)
    for (const name of ['a', 'b']) await sites.statusOf(name, ({ peers }) => peers === 2)
    expect((await sites.statusOf('a', ({ exchanges }) => exchanges > counted)).warnings.join('\n')).not.to.match(/runs twice/)

    await Promise.all(runs)
    const rounds = await roundsIn(sites.paths('elsewhere/c').metrics)
    expect(rounds, 'each round once').to.deep.equal([...new Set(rounds)].sort((x, y) => x - y))
    expect(rounds.filter((each) => each < round)).to.deep.equal((await roundsIn(join(sites.folder, 'given-away/metrics.jsonl')))
      .filter((each) => each < round))
    for (const name of ['a', 'b', 'elsewhere/c']) expect(await sites.summary(name), name).to.include({ rounds: ROUNDS, inDoubt: 0 })
  })
})
