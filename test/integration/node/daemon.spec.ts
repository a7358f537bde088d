import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { readFloatTensors } from '../../../src/adapter/safetensors.ts'
import { fetchControl } from '../../../src/node/control/client.ts'
import type { PeerView } from '../../../src/rounds/status.ts'
import { Sites } from './sites.ts'

describe('daemons with a trainer that only adds', function () {
  this.timeout(240_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  async function adapterOf (name: string): Promise<number[]> {
    const { tensors } = readFloatTensors(await readFile(sites.paths(name).adapter))
    return [...tensors.get('lora.a')!.data]
  }

  it('train, exchange, agree and finish', async () => {
    sites = await Sites.create(['a', 'b', 'c'], { rounds: 3, coolDownSeconds: 60 })
    const steps = { a: 1, b: 2, c: 6 }
    const first = sites.daemon('a', { manners: { step: steps.a, delayMs: 200 }, waitFor: 3 }).run()
    const bootstrap = (await sites.statusOf('a', ({ addresses }) => addresses.length > 0)).addresses
    const others = (['b', 'c'] as const).map(async (name) => {
      await sites.daemon(name, { manners: { step: steps[name], delayMs: 200 }, bootstrap, waitFor: 3 }).run()
    })
    const peers = sites.statusOf('b', ({ peers: count, exchanges }) => count === 2 && exchanges > 0)
      .then(async () => await fetchControl<PeerView[]>(sites.paths('b').home, '/peers'))
    await Promise.all([first, ...others])
    expect((await peers).every(({ connected }) => connected)).to.equal(true)
    const adapters = []
    for (const name of ['a', 'b', 'c']) {
      // All rounds are alike to this trainer, so that the first one is the best of which it heard the scores of half of all.
      const best = JSON.parse(await readFile(sites.paths(name).bestRound, 'utf8')) as { round: number, sites: number, images: number }
      expect(best.sites, name).to.be.within(2, 3)
      expect(best.images, name).to.equal(3 * best.sites)
      expect(await readFile(sites.paths(name).bestAdapter)).to.deep.equal(
        await readFile(join(sites.paths(name).roundAdapters, `round-000${best.round}.safetensors`)))
      const summary = await sites.summary(name)
      expect(summary).to.include({
        name,
        rounds: 3,
        images: 10,
        validationImages: 3,
        engine: 'fake',
        provider: 'cpu',
        engineReason: 'it is a fake',
        refusedHandshakes: 0
      })
      expect(summary.exchangesByRound).to.have.length(3)
      expect(Math.min(...summary.exchangesByRound)).to.be.at.least(2)
      expect(summary.exchanges).to.be.greaterThan(summary.exchangesByRound.reduce((sum, count) => sum + count))
      expect(summary.eventLoopP99Ms).to.be.above(0)
      expect(summary.dice).to.deep.equal({ frozen: 0.5, global: 0.6, personal: 0.7 })
      adapters.push(await adapterOf(name))
    }
    // Equal masses: each value must be close to its start plus 3 rounds of the mean step, 3.
    for (const adapter of adapters) adapter.forEach((value, i) => { expect(value).to.be.closeTo(i / 8 + 9, 0.35) })
    for (let i = 0; i < 8; i++) expect(adapters.reduce((sum, adapter) => sum + adapter[i]!, 0) / 3).to.be.closeTo(i / 8 + 9, 1e-3)
  })

  it('finish without the bootstrap node, and one that was struck finds the other by itself', async () => {
    sites = await Sites.create(['a', 'b', 'c'], { rounds: 8 })
    const init = { manners: { delayMs: 700 }, waitFor: 3, aloneRounds: 1 }
    const a = sites.daemon('a', init)
    const first = a.run()
    const bootstrap = (await sites.statusOf('a', ({ addresses }) => addresses.length > 0)).addresses
    const b = sites.daemon('b', { ...init, bootstrap }).run()
    const c = sites.daemon('c', { ...init, bootstrap })
    const struck = c.run()
    const before = await sites.statusOf('c', ({ round, peers }) => round >= 2 && peers === 2)
    a.requestStop()
    c.requestStop()
    await Promise.all([first, struck])
    await Promise.all([b, sites.daemon('c', { ...init, bootstrap }).run()])
    const [survivor, returned] = [await sites.summary('b'), await sites.summary('c')]
    expect(returned.peerId).to.equal(before.peerId)
    for (const { rounds, exchangesByRound } of [survivor, returned]) {
      expect(rounds).to.equal(8)
      // Between, each was alone until they met, or skipped rounds to catch up.
      expect(exchangesByRound.at(-1), exchangesByRound.join()).to.be.at.least(2)
    }
    expect(returned.warnings.filter((each) => each.includes('does not answer'))).to.have.length(1)
  })

  it('goes on from its checkpoint after a stop, under the same peer id', async () => {
    sites = await Sites.create(['a'], { rounds: 4 })
    const daemon = sites.daemon('a', { manners: { delayMs: 1_000 } })
    const run = daemon.run()
    const before = await sites.statusOf('a', ({ round, phase }) => round >= 2 && phase === 'L')
    daemon.requestStop()
    await run
    await sites.daemon('a', { manners: { delayMs: 5 } }).run()
    const summary = await sites.summary('a')
    expect(summary.peerId).to.equal(before.peerId)
    expect(summary.rounds).to.equal(4)
    expect(await adapterOf('a')).to.deep.equal(Array.from({ length: 8 }, (_, i) => i / 8 + 4))
    expect(summary.warnings.join()).to.contain('training goes on alone')
  })

  for (const alone of [false, true]) {
    it(`fits the experts once more to the adapter that it ends with${alone ? ', alone too' : ''}`, async () => {
      sites = await Sites.create(['a'], { rounds: 2 })
      const diary = join(sites.folder, 'diary')
      await sites.daemon('a', { alone, manners: { diary } }).run()
      expect((await readFile(diary, 'utf8')).trim().split('\n')).to.deep.equal([
        'phaseG 1 0',
        'phaseL 1 1',
        'phaseG 2 1',
        'phaseL 2 2',
        'phaseL 3 2'
      ])
      expect((await adapterOf('a'))[0]).to.equal(2)
    })
  }

  it('trains alone without any network', async () => {
    sites = await Sites.create(['a'], { rounds: 2 })
    await sites.daemon('a', { alone: true }).run()
    const summary = await sites.summary('a')
    expect(summary).to.deep.include({ rounds: 2, exchanges: 0, exchangesByRound: [0, 0], warnings: [] })
  })

  it('finishes although the trainer is killed in the middle of a phase, and says so', async () => {
    sites = await Sites.create(['a'], { rounds: 2 })
    await sites.daemon('a', { alone: true, manners: { dieIn: 'phaseL', memory: `${sites.folder}/died` } }).run()
    const summary = await sites.summary('a')
    expect(summary.rounds).to.equal(2)
    expect(summary.warnings).to.have.length(1)
    expect(summary.warnings[0]).to.contain('the trainer process ended (SIGKILL)')
  })
})
