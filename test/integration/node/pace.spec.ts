import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { readPeerId } from '../../../src/federation/identity.ts'
import { Sites } from './sites.ts'

const ROUNDS = 8
const SLOW = ['a', 'b', 'c']
const FAST = ['d', 'e']
const SLOW_MS = 2_500

describe('sites of different pace', function () {
  this.timeout(600_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  it('those more than three rounds ahead of most pause, say so, and train again when the others have caught up', async () => {
    sites = await Sites.create([...SLOW, ...FAST], { rounds: ROUNDS, coolDownSeconds: 120 })
    const slow = { waitFor: 5, manners: { delayMs: SLOW_MS } }
    const runs = [sites.daemon('a', slow).run()]
    const { addresses: bootstrap } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    for (const name of ['b', 'c']) runs.push(sites.daemon(name, { bootstrap, ...slow }).run())
    for (const name of FAST) runs.push(sites.daemon(name, { bootstrap, waitFor: 5, manners: { delayMs: 10 } }).run())

    await sites.statusOf('d', ({ phase, round }) => phase === 'waiting' && round > 1)
    await Promise.all(runs)

    const summaries = await Promise.all([...SLOW, ...FAST].map((name) => sites.summary(name)))
    const saidSo = summaries.map(({ warnings }) => warnings.filter((each) => each.includes('more than 3 rounds ahead of the others')))
    for (const { rounds } of summaries) expect(rounds).to.equal(ROUNDS)
    expect(saidSo.slice(0, SLOW.length).flat()).to.be.empty
    expect(saidSo[SLOW.length]).to.have.length(1)
  })

  it('half of all left behind by the other half exchange with it all the same, since they do not catch up', async () => {
    const [slow, fast] = [['a', 'b'], ['d', 'e']]
    sites = await Sites.create([...slow, ...fast], { rounds: ROUNDS, coolDownSeconds: 120 })
    const manners = { delayMs: SLOW_MS }
    const runs = [sites.daemon('a', { waitFor: 4, manners }).run()]
    const { addresses: bootstrap } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    runs.push(sites.daemon('b', { bootstrap, waitFor: 4, manners }).run())
    for (const name of fast) runs.push(sites.daemon(name, { bootstrap, waitFor: 4, manners: { delayMs: 10 } }).run())
    await Promise.all(runs)

    const idOf = async (name: string): Promise<string> => await readPeerId(sites.paths(name).identity)
    const fastIds = await Promise.all(fast.map(idOf))
    for (const name of slow) {
      expect((await sites.summary(name)).rounds).to.equal(ROUNDS)
      const text = await readFile(join(sites.paths(name).home, 'audit', 'ledger-000001.jsonl'), 'utf8')
      const entries = text.trim().split('\n').map((line) => JSON.parse(line) as { codec?: string, partner: string })
      const exchanges = entries.filter(({ codec }) => codec != null)
      const across = exchanges.filter(({ partner }) => fastIds.includes(partner)).length
      expect(across / exchanges.length, `of ${exchanges.length}`).to.be.above(0.4)
    }
  })
})
