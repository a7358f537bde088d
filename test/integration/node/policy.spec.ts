import { expect } from 'chai'
import { isThere, writeJson } from '../../../src/home/files.ts'
import { Sites } from './sites.ts'

describe('a daemon and the policy of its site', function () {
  this.timeout(240_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  it('does not begin where the document goes beyond it: nothing is trained, listens or is written in the ledger', async () => {
    sites = await Sites.create(['a'])
    const { policy, audit, control, peers } = sites.paths('a')
    await writeJson(policy, { document: { 'averaging.maxMass': { most: 500 } } })
    const error = await sites.daemon('a').run().then(() => undefined, (reason: Error) => reason)
    expect(`${error?.name}: ${error?.message}`).to.equal(
      'InputError: the federation goes beyond the policy of this site: ' +
        'averaging.maxMass is 1000, and this site\'s policy.json says at most 500'
    )
    for (const path of [audit, control, peers]) expect(await isThere(path), path).to.equal(false)
  })

  it('neither begins nor answers an exchange among fewer members than it asks for', async () => {
    sites = await Sites.create(['a', 'b'], { rounds: 2, coolDownSeconds: 2 })
    await writeJson(sites.paths('a').policy, { partners: 2 })
    const init = { aloneRounds: 1_000, manners: { delayMs: 50 } }
    const a = sites.daemon('a', init)
    const first = a.run()
    const { addresses } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    const second = sites.daemon('b', { ...init, bootstrap: addresses }).run()
    const { warnings } = await sites.statusOf('a', ({ peers, warnings: held }) => peers > 0 && held.some((each) => each.includes('policy')))
    expect(warnings.join()).to.contain('exchanges pause: policy.json asks for 2 other members')
    await Promise.all([first, second])
    for (const name of ['a', 'b']) expect(await sites.summary(name), name).to.include({ rounds: 2, exchanges: 0 })
  })
})
