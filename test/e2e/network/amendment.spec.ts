import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { mergeIntoConfigFile } from '../../../src/home/config/load.ts'
import type { Summary } from '../../../src/node/summary.ts'
import { Sites } from '../../integration/node/sites.ts'
import { consilium, consiliumJson } from '../cli.ts'
import { SiteProcess } from './site-process.ts'

// Of a crowded machine, too, the commands are through before the last round.
const ROUNDS = { before: 20, after: 24 }
const DELAY_MS = 1_300
const LONG_MS = 600_000

describe('a federation that is amended while it runs, with real processes', function () {
  this.timeout(1_800_000)
  let homes: Sites
  let sites: Map<string, SiteProcess>

  const site = (name: string): SiteProcess => sites.get(name)!

  afterEach(async () => {
    await Promise.all([...sites.values()].map(async (each) => { await each.end('SIGKILL') }))
    await homes.remove()
  })

  it('goes on to the new last round, also where a founder was down; who has not agreed ends at the former one', async () => {
    const names = ['a', 'b', 'c', 'd']
    homes = await Sites.create(names, { rounds: ROUNDS.before, coolDownSeconds: 90, founders: ['a', 'b', 'c'], quorum: 2 })
    sites = new Map(names.map((name) => [name, new SiteProcess(name, homes.paths(name).home)]))
    await startAll()
    await Promise.all(names.map(async (name) => { await site(name).until('it exchanges', ({ exchanges }) => exchanges > 0) }))
    await site('c').end('SIGTERM')

    const drafted = await consiliumJson<{ amendment: string, changes: string[], missing: number }>(
      ['federation', 'amend', '--rounds', String(ROUNDS.after), '--home', site('a').home])
    expect(drafted).to.deep.include({ changes: ['training.rounds: 20 becomes 24'], missing: 1 })
    await site('b').until('it knows the draft', ({ amendments }) => amendments?.[0]?.state === 'unsigned')
    const agreed = await consiliumJson<{ amendment: string, missing: number }>(
      ['federation', 'agree', drafted.amendment.slice(0, 8), '--home', site('b').home])
    expect(agreed).to.include({ amendment: drafted.amendment, missing: 0 })
    for (const name of ['a', 'b']) await site(name).until('it goes on with it', ({ amendment }) => amendment === 1, LONG_MS)

    // It was down, and hears of it from the others.
    site('c').start()
    await site('c').until('it knows', ({ amendments }) => amendments?.[0]?.state === 'open', LONG_MS)
    await consiliumJson(['federation', 'agree', '--home', site('c').home])
    const asked = await site('d').until('it is asked', ({ amendments }) => amendments?.[0]?.state === 'open')
    expect(asked).to.include({ amendment: 0, rounds: ROUNDS.before })
    await site('d').untilLogged(/goes on without it until "consilium federation agree" is typed here/)

    for (const name of names) await site(name).exited(LONG_MS)
    for (const name of names) expect((await summaryOf(name)).rounds, name).to.equal(name === 'd' ? ROUNDS.before : ROUNDS.after)
    await site('c').untilLogged(/this site goes on with amendment 1 .*training\.rounds: 20 becomes 24; signed by/)
    const { stdout } = await consilium(['federation', 'show', '--home', site('a').home])
    expect(stdout).to.match(/^amendment {3}1, after [0-9a-f]{64}$/m)
  })

  async function summaryOf (name: string): Promise<Summary> {
    return JSON.parse(await readFile(homes.paths(name).summary, 'utf8')) as Summary
  }

  async function startAll (): Promise<void> {
    const [first, ...others] = sites.values()
    first!.start({ delayMs: DELAY_MS })
    const { addresses } = await first!.until('it listens', (status) => status.addresses.length > 0)
    for (const each of others) {
      await mergeIntoConfigFile(homes.paths(each.name).config, { bootstrap: addresses })
      each.start({ delayMs: DELAY_MS })
    }
  }
})
