import { expect } from 'chai'
import { Sites } from './sites.ts'

const ROUNDS = 6
const SLOW_MS = 1_000
/**
 * While the slowest is awaited the other slow one is near enough to exchange: within three rounds, and for longer than a refusal as
 * stale keeps it from being asked.
 */
const SLOWEST_MS = 1_800

describe('sites of different pace', function () {
  this.timeout(90_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  it('one more than three rounds ahead pauses, says so, goes on exchanging, and trains again when the others have caught up', async () => {
    sites = await Sites.create(['a', 'b', 'fast'], { rounds: ROUNDS })
    const runs = [sites.daemon('a', { manners: { delayMs: SLOW_MS } }).run()]
    const { addresses: bootstrap } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    runs.push(
      sites.daemon('b', { bootstrap, manners: { delayMs: SLOWEST_MS } }).run(),
      sites.daemon('fast', { bootstrap, manners: { delayMs: 10 } }).run()
    )

    const paused = await sites.statusOf('fast', ({ phase }) => phase === 'waiting')
    await sites.statusOf('fast', ({ phase, exchanges }) => phase === 'waiting' && exchanges > paused.exchanges)
    await Promise.all(runs)

    const [a, b, fast] = [await sites.summary('a'), await sites.summary('b'), await sites.summary('fast')]
    expect([a.rounds, b.rounds, fast.rounds]).to.deep.equal([ROUNDS, ROUNDS, ROUNDS])
    expect(fast.warnings.filter((each) => each.includes('more than 3 rounds ahead of the others'))).to.have.length(1)
    for (const slow of [a, b]) expect(slow.warnings.filter((each) => each.includes('ahead'))).to.be.empty
  })
})
