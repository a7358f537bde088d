import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { PrivacyLedger } from '../../../src/audit/privacy/privacy-ledger.ts'
import type { LedgerEntry } from '../../../src/audit/entry.ts'
import { verifyLedger } from '../../../src/audit/verify.ts'
import { readFederation } from '../../../src/federation/document.ts'
import { readPeerId } from '../../../src/federation/identity.ts'
import { fetchControl } from '../../../src/node/control/client.ts'
import type { PeerView } from '../../../src/rounds/status.ts'
import type { PrivacySettings } from '../../../src/settings/privacy.ts'
import { Sites } from './sites.ts'

/** Two landings cost 7.8, a third would be over. */
const TWO: PrivacySettings = { unit: 'site', epsilon: 8, delta: 1e-5, clip: 0.1, noise: 0.87 }
const ROUNDS = 3

describe('a federation that promises differential privacy', function () {
  this.timeout(240_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  async function accountOf (name: string): Promise<PrivacyLedger['account']> {
    const { privacy: folder, federation } = sites.paths(name)
    const ledger = await PrivacyLedger.open({ folder, federation: (await readFederation(federation)).id, trained: 0, now: Date.now })
    return (ledger as PrivacyLedger).account
  }

  it('lands noise, announces no Dice, and when all is spent goes on without training', async () => {
    sites = await Sites.create(['a', 'b'], { rounds: ROUNDS, privacy: TWO, coolDownSeconds: 10 })
    const one = sites.daemon('a')
    const running = one.run()
    const { addresses } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    const other = sites.daemon('b', { bootstrap: addresses }).run()
    const views: PeerView[] = []
    // It has scores as soon as its first round is over.
    while (!views.some(({ round = 0 }) => round > 1)) {
      views.push(...await fetchControl<PeerView[]>(sites.paths('a').home, '/peers').catch(() => []))
      await sleep(20)
    }
    expect(views.some((view) => 'dice' in view)).to.equal(false)
    await Promise.all([running, other])
    for (const name of ['a', 'b']) {
      const { rounds, dice, steps, exchanges, warnings } = await sites.summary(name)
      expect({ rounds, dice: dice?.personal, trained: steps.trained }).to.deep.equal({ rounds: ROUNDS, dice: 0.7, trained: 2 })
      expect(exchanges).to.be.above(0)
      expect(warnings.join()).to.include('has spent 7.').and.include('goes on with everything else')
      expect((await accountOf(name)).spent).to.deep.equal([{ unit: 'site', noise: 0.87, rate: 1, steps: 2 }])
    }
    const entries: LedgerEntry[] = []
    const { identity, federation, audit } = sites.paths('a')
    const owner = { peerId: await readPeerId(identity), federation: (await readFederation(federation)).id }
    expect((await verifyLedger(audit, owner, (entry) => { entries.push(entry) })).ok).to.equal(true)
    expect(entries.filter(({ kind }) => kind === 'release')).to.have.length(2)
  })

  it('ends a site that has spent all where it says so, and trains nothing more where the ledger is gone', async () => {
    sites = await Sites.create(['a'], { rounds: ROUNDS, privacy: { ...TWO, onExhausted: 'leave' } })
    await sites.daemon('a', { alone: true }).run()
    expect((await sites.summary('a')).rounds).to.equal(2)
    await rm(sites.paths('a').privacy, { recursive: true })
    await sites.daemon('a', { alone: true }).run()
    const { steps, warnings } = await sites.summary('a')
    expect(steps.trained).to.equal(2)
    expect(warnings.join()).to.include('it is missing, and this home has trained').and.include('privacy reset --i-know')
  })
})
