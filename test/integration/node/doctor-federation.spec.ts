import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { readFederation } from '../../../src/federation/document.ts'
import type { Invitation } from '../../../src/federation/membership/invitation.ts'
import { readKeyRing } from '../../../src/federation/membership/network-key.ts'
import { tryFederation } from '../../../src/node/network/reach/try-federation.ts'
import { Sites } from './sites.ts'

describe('consilium doctor --federation', () => {
  it('goes the way to each address and says where it ends, and the site there sees no stranger refused', async function () {
    this.timeout(60_000)
    const sites = await Sites.create(['a'], { rounds: 100_000 })
    const site = sites.daemon('a', { manners: { delayMs: 200 }, settings: { relay: true } })
    const running = site.run()
    try {
      const { addresses: [address] } = await sites.statusOf('a', ({ addresses }) => addresses.length > 0)
      const paths = sites.paths('a')
      const invitation: Invitation = {
        federation: await readFederation(paths.federation),
        ring: await readKeyRing(paths.networkKey),
        bootstrap: [address!, '/ip4/127.0.0.1/tcp/1', '/dns4/nowhere.invalid/tcp/443/tls/ws']
      }
      const steps = await tryFederation(invitation, {})
      expect(steps.map(({ name, ok }) => `${name} ${ok ? 'yes' : 'no'}`)).to.deep.equal([
        'address yes', 'dial yes', 'handshake yes', 'relay yes', 'address yes', 'dial no', 'address yes', 'resolve no', 'federation yes'
      ])
      expect(steps[3]?.detail).to.equal('it passes connections on')
      expect(steps[5]?.detail).to.match(/let this machine out to 127\.0\.0\.1, TCP port 1/)
      const ring = { current: randomBytes(32).toString('hex'), previous: [] }
      const stranger = await tryFederation({ ...invitation, bootstrap: [address!], ring }, {})
      expect(stranger.find(({ name }) => name === 'handshake')?.detail).to.include('no network key in common')
      expect(stranger.at(-1)).to.include({ name: 'federation', ok: false })
      expect((await sites.statusOf('a', () => true)).refusedCertificates).to.equal(0)
    } finally {
      site.requestStop()
      await running
      await sites.remove()
    }
  })
})
