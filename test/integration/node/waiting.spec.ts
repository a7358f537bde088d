import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import { Sites } from './sites.ts'
import { Tap } from './tap.ts'

const SETTLED_MS = 10_000
const MEASURED_MS = 30_000
const MOST_BYTES_PER_MINUTE = 100_000

describe('sites that wait for others', function () {
  this.timeout(600_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  async function addressesOf (name: string): Promise<string[]> {
    return (await sites.statusOf(name, ({ addresses }) => addresses.length > 0)).addresses
  }

  it('wait for the stated number of members before round 1, whoever starts first, and send next to nothing meanwhile', async () => {
    sites = await Sites.create(['a', 'b', 'c'], { rounds: 3 })
    const taps = { a: new Tap(), b: new Tap() }
    const together = { waitFor: 3, manners: { delayMs: 100 } }
    const runs = [sites.daemon('b', { ...together, tap: taps.b.wrap }).run()]
    const bootstrap = await addressesOf('b')
    runs.push(sites.daemon('a', { ...together, bootstrap, tap: taps.a.wrap }).run())
    const isWaiting = ({ phase, warnings }: SiteStatus): boolean => phase === 'waiting' && warnings.join().includes(': 2 of 3 are there')
    for (const name of ['a', 'b']) await sites.statusOf(name, isWaiting)
    await sleep(SETTLED_MS)
    const sent = (): number[] => Object.values(taps).map((tap) => tap.bytes().length)
    const before = sent()
    await sleep(MEASURED_MS)
    const perMinute = sent().map((bytes, i) => (bytes - before[i]!) * 60_000 / MEASURED_MS)
    for (const bytes of perMinute) expect(bytes, 'bytes a minute, before encryption').to.be.within(1, MOST_BYTES_PER_MINUTE)
    for (const name of ['a', 'b']) await sites.statusOf(name, ({ round, exchanges }) => round === 1 && exchanges === 0)

    runs.push(sites.daemon('c', { ...together, bootstrap }).run())
    await Promise.all(runs)
    for (const name of ['a', 'b', 'c']) {
      const { rounds, exchangesByRound } = await sites.summary(name)
      expect(rounds, name).to.equal(3)
      expect(Math.min(...exchangesByRound), `${name}: ${exchangesByRound.join()}`).to.be.at.least(1)
    }
  })

  it('without the others train three rounds more, pause, show it while it holds, and go on with them when they are back', async () => {
    const rounds = 15
    sites = await Sites.create(['a', 'b'], { rounds })
    const manners = { delayMs: 300 }
    const a = sites.daemon('a', { manners, foundWithinMs: 1_000 }).run()
    const bootstrap = await addressesOf('a')
    const first = sites.daemon('b', { manners, bootstrap, foundWithinMs: 1_000 })
    const struck = first.run()
    await sites.statusOf('b', ({ round, exchanges }) => round >= 2 && exchanges > 0)
    first.requestStop()
    await struck

    const pauses = /no other site can be reached, and the last 3 rounds passed without an exchange: training pauses/
    const paused = await sites.statusOf('a', ({ phase, warnings }) => phase === 'waiting' && pauses.test(warnings.join()))
    expect(paused.round).to.be.below(rounds)
    await sleep(3_000)
    expect((await sites.statusOf('a', () => true)).round).to.equal(paused.round)

    const back = sites.daemon('b', { manners, bootstrap }).run()
    await sites.statusOf('a', ({ exchanges, warnings }) => exchanges > paused.exchanges && !/can be reached/.test(warnings.join()))
    await Promise.all([a, back])
    const [one, other] = [await sites.summary('a'), await sites.summary('b')]
    expect([one.rounds, other.rounds]).to.deep.equal([rounds, rounds])
    expect(one.exchangesByRound.filter((count) => count === 0), one.exchangesByRound.join()).to.have.length.at.most(3)
    expect(one.steps.lost + other.steps.lost).to.equal(0)
    // Why no exchange comes about may be said in other words meanwhile.
    expect(one.warnings.join('\n')).to.match(/without an exchange: training pauses/)
  })

  it('at the end do not leave with what no other has', async () => {
    sites = await Sites.create(['a', 'b'], { rounds: 4 })
    const manners = { delayMs: 400 }
    const a = sites.daemon('a', { manners, foundWithinMs: 1_000 }).run()
    const bootstrap = await addressesOf('a')
    const first = sites.daemon('b', { manners, bootstrap, foundWithinMs: 1_000 })
    const struck = first.run()
    await sites.statusOf('b', ({ round, exchanges }) => round >= 1 && exchanges > 0)
    first.requestStop()
    await struck
    await sites.statusOf('a', ({ phase, round, exchanges }) => phase === 'waiting' && round >= 3 && exchanges > 0)
    await Promise.all([a, sites.daemon('b', { manners, bootstrap }).run()])
    for (const name of ['a', 'b']) expect((await sites.summary(name)).steps.lost, name).to.equal(0)
  })

  it('that come when the others are done learn from them, fit what is their own as often, and say so', async () => {
    const rounds = 8
    sites = await Sites.create(['a', 'b', 'late'], { rounds, coolDownSeconds: 240 })
    const runs = [sites.daemon('a').run()]
    const bootstrap = await addressesOf('a')
    runs.push(sites.daemon('b', { bootstrap }).run())
    await Promise.all(runs)
    // The founder is up again for those who come late.
    const founder = sites.daemon('a').run()
    const diary = `${sites.folder}/diary`
    await sites.daemon('late', { bootstrap: await addressesOf('a'), manners: { diary } }).run()
    await founder
    const { exchanges, steps, warnings } = await sites.summary('late')
    expect(exchanges).to.be.above(0)
    expect(steps.lost).to.equal(0)
    expect(warnings.join('\n')).to.match(/since it came late, it trains 1 of 8 rounds with them/)
    expect((await readFile(diary, 'utf8')).match(/phaseL/g)).to.have.length.at.least(rounds + 1)
  })
})
