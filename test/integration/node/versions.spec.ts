import { expect } from 'chai'
import { fetchControl } from '../../../src/node/control/client.ts'
import { THIS_SOFTWARE, type Protocols } from '../../../src/protocol/versions.ts'
import type { PeerView } from '../../../src/rounds/status.ts'
import { Sites } from './sites.ts'

const OURS = THIS_SOFTWARE.version

/** Those that cannot work together are to end all the same. */
const BY_ITSELF = { waitFor: 1, aloneRounds: 1_000 }

describe('two versions', function () {
  this.timeout(240_000)
  let sites: Sites

  beforeEach(async () => { sites = await Sites.create(['a', 'b'], { coolDownSeconds: 3 }) })
  afterEach(async () => { await sites.remove() })

  /** Site a runs this software, b one that will be; returns the warnings of both. */
  async function meet (
    protocols: Partial<Protocols>,
    meanwhile: (peers: { a: string, b: string }) => Promise<void> = async () => {}
  ): Promise<{ a: readonly string[], b: readonly string[], exchanges: number, peers: { a: string, b: string } }> {
    const software = { version: '9.1.0', protocols: { ...THIS_SOFTWARE.protocols, ...protocols } }
    const a = sites.daemon('a', { manners: { delayMs: 2_000 }, foundWithinMs: 20_000, ...BY_ITSELF }).run()
    const { addresses, peerId } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    const b = sites.daemon('b', { bootstrap: addresses, manners: { delayMs: 2_000 }, foundWithinMs: 1_000, ...BY_ITSELF, software }).run()
    const other = await sites.statusOf('b', ({ addresses: own }) => own.length > 0)
    expect([other.software, other.protocols.includes('kad/1.0.0')]).to.deep.equal(['9.1.0', true])
    const peers = { a: peerId, b: other.peerId }
    await Promise.all([meanwhile(peers), a, b])
    const [one, two] = [await sites.summary('a'), await sites.summary('b')]
    expect([one.rounds, two.rounds]).to.deep.equal([2, 2])
    return { a: one.warnings, b: two.warnings, exchanges: one.exchanges + two.exchanges, peers }
  }

  const about = (warnings: readonly string[]): string[] => warnings.filter((each) => each.includes('no common version'))

  for (const [name, what] of [['membership', 'let nobody in'], ['adapter-exchange', 'exchange nothing']] as const) {
    it(`without a common ${name} ${what}, say so at both sites in one sentence each, and train on`, async () => {
      const saidInStatus = async (): Promise<void> => {
        for (const site of ['a', 'b']) await sites.statusOf(site, ({ warnings }) => about(warnings).length === 1)
      }
      const { a, b, exchanges, peers } = await meet({ [name]: '2.0.0' }, saidInStatus)
      expect(exchanges).to.equal(0)
      expect(about(a)).to.deep.equal([
        `site ${peers.b} runs consilium 9.1.0 and this site consilium ${OURS}, which have no common version of ${name} (2.0.0 there, ` +
          '1.0.0 here), so the two exchange nothing: install consilium 9.1.0 or newer here'
      ])
      expect(about(b)).to.deep.equal([
        `site ${peers.a} runs consilium ${OURS} and this site consilium 9.1.0, which have no common version of ${name} (1.0.0 there, ` +
          '2.0.0 here), so the two exchange nothing: ask the people there to install consilium 9.1.0 or newer'
      ])
      expect([...a, ...b].join('\n')).to.not.match(/certificate|negotiat|protocol selection|failed/i)
    })
  }

  it('with common ones work together, and each shows what the other runs', async () => {
    const bothShown = async ({ a, b }: { a: string, b: string }): Promise<void> => {
      await sites.statusOf('b', ({ exchanges }) => exchanges > 0)
      const seen = async (site: string, id: string): Promise<string | undefined> =>
        (await fetchControl<PeerView[]>(sites.paths(site).home, '/peers')).find(({ peerId }) => peerId === id)?.software
      expect([await seen('a', b), await seen('b', a)]).to.deep.equal(['9.1.0', OURS])
      const members = await fetchControl<{ peerId: string, software?: string }[]>(sites.paths('a').home, '/members')
      expect(members.find(({ peerId }) => peerId === b)).to.include({ software: '9.1.0' })
    }
    const { a, b, exchanges } = await meet({}, bothShown)
    expect(about([...a, ...b])).to.be.empty
    expect(exchanges).to.be.greaterThan(0)
  })
})
