import { expect } from 'chai'
import { OPEN } from './network.ts'
import { networks } from './networks.ts'

/** Numbers of the adapter that ViT-B has by default. */
const ADAPTER = 250_000
const FILTER = 'nft add table inet l; nft \'add chain inet l in { type filter hook input priority 0; }\''

/** Not every kernel of a container has netem; nftables loses packets everywhere, and a tunnel delays them. */
function lossy (percent: number): string {
  return `${FILTER}; nft add rule inet l in iif != lo numgen random mod 100 '<' ${percent} drop`
}

describe('lines of hospitals (network namespaces, nftables)', function () {
  this.timeout(900_000)
  const { create } = networks()

  const lines = [
    ['2 % loss', lossy(2)],
    ['1 Mbit/s', `${FILTER}; nft add rule inet l in iif != lo limit rate over 125 kbytes/second burst 64 kbytes drop`]
  ] as const
  for (const [what, script] of lines) {
    it(`${what}: exchanges of an adapter of ${ADAPTER / 1e6} M numbers come about, and no average is lost`, async () => {
      const network = await create(['a', 'b'])
      for (const host of ['a', 'b']) await network.sh(host, script)
      network.start('a', OPEN, { numbers: ADAPTER })
      network.start('b', { ...OPEN, bootstrap: [network.at('a')] }, { numbers: ADAPTER })
      await network.until('they exchanged', async () => await network.exchanges('a', 'b') > 2, 240_000)
      await network.expectConserved('a', 'b')
    })
  }

  it(`300 ms and 2 % loss, by a tunnel: exchanges of ${ADAPTER / 1e6} M numbers come about, and no average is lost`, async () => {
    const network = await create(['a', 'b'], ['between'])
    await network.layLine(['a', 'b'], 'between', { delayMs: 150, lossPercent: 2 })
    expect(await network.roundTrip('a', '10.98.0.2')).to.be.at.least(300)
    const listen = (n: number): string[] => [`/ip4/10.98.0.${n}/tcp/4001`]
    network.start('a', { listen: listen(1) }, { numbers: ADAPTER })
    network.start('b', { listen: listen(2), bootstrap: listen(1) }, { numbers: ADAPTER })
    await network.until('they exchanged', async () => await network.exchanges('a', 'b') > 2, 240_000)
    expect((await network.peer('a', 'b'))?.addresses.join()).to.match(/10\.98\.0\.2/).and.not.match(/10\.99/)
    await network.expectConserved('a', 'b')
  })

  it('30 % loss for a while: no false reason is said, and exchanges go on within two minutes of its end', async () => {
    const network = await create(['a', 'b'])
    network.start('a', OPEN)
    network.start('b', { ...OPEN, bootstrap: [network.at('a')] })
    await network.meet(['a', 'b'])
    for (const host of ['a', 'b']) await network.sh(host, lossy(30))
    await new Promise((resolve) => { setTimeout(resolve, 30_000) })
    for (const host of ['a', 'b']) await network.sh(host, 'nft delete table inet l')
    const before = await network.exchanges('a', 'b')
    await network.until('they exchange again', async () => await network.exchanges('a', 'b') > before + 2, 120_000)
    const warnings = (await network.report('b'))!.status.warnings.join()
    expect(warnings).not.to.match(/network key|certificate/)
  })
})
