import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { readPeerId } from '../../../src/federation/identity.ts'
import type { MemberView } from '../../../src/federation/membership/members-view.ts'
import { askControl, fetchControl } from '../../../src/node/control/client.ts'
import type { Left } from '../../../src/node/leave.ts'
import type { PeerView } from '../../../src/rounds/status.ts'
import { Sites } from './sites.ts'

describe('a site that leaves', function () {
  this.timeout(600_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  it('is waited for no more, known by all, and cannot come back; its books are closed in order', async () => {
    sites = await Sites.create(['a', 'b', 'c'], { rounds: 60 })
    const init = { manners: { delayMs: 200 }, waitFor: 3 }
    const runs = new Map([['a', sites.daemon('a', init).run()]])
    const bootstrap = (await sites.statusOf('a', ({ addresses }) => addresses.length > 0)).addresses
    const unconnected = sites.daemon('b', init)
    for (const name of ['b', 'c']) runs.set(name, sites.daemon(name, { ...init, bootstrap }).run())
    for (const name of ['a', 'b', 'c']) await sites.statusOf(name, ({ peers, exchanges }) => peers === 2 && exchanges > 0)
    const home = sites.paths('b').home
    const gone = await readPeerId(sites.paths('b').identity)

    const left = await askControl<Left>(home, '/membership/leave', { although: false })
    expect(left).to.deep.include({ effective: true, told: 2, inDoubt: [] })
    expect(await runs.get('b'), 'no summary: it did not finish').to.equal(undefined)
    for (const name of ['a', 'c']) {
      const { round } = await sites.statusOf(name, ({ peers }) => peers === 1)
      const at = sites.paths(name).home
      expect((await fetchControl<MemberView[]>(at, '/members')).find(({ peerId }) => peerId === gone)).to.include({ standing: 'left' })
      expect((await fetchControl<PeerView[]>(at, '/peers')).map(({ peerId }) => peerId)).not.to.include(gone)
      const { waitsFor = [] } = await sites.statusOf(name, (status) => status.round > round)
      expect(waitsFor).not.to.include(gone)
    }
    const again = await unconnected.run().then(() => 'it ran', (error: Error) => error.message)
    expect(again).to.match(/^this site has left the federation, for good: .*"consilium init" in another home/)

    await Promise.all(['a', 'c'].map(async (name) => await runs.get(name)))
    for (const name of ['a', 'c']) expect((await sites.summary(name)).steps.lost, name).to.equal(0)
    const ledger = await readFile(`${sites.paths('b').audit}/ledger-000001.jsonl`, 'utf8')
    const lines = ledger.trim().split('\n').map((line) => JSON.parse(line) as object)
    expect(lines.find((line) => 'event' in line && line.event === 'left')).to.include({ kind: 'membership', peer: gone })
    expect(lines.at(-1)).to.include({ kind: 'stop', reason: 'stopped' })
  })
})
