import { expect } from 'chai'
import { OPEN } from './network.ts'
import { networks } from './networks.ts'

describe('sites that accept nothing inbound (network namespaces, nftables)', function () {
  this.timeout(900_000)
  const { create } = networks()

  it('two exchange through a relay, within 30 s through another when it is killed, and no average is lost', async () => {
    const network = await create(['r', 's', 'b', 'c'])
    for (const host of ['b', 'c']) await network.closeInbound(host)
    network.start('r', { ...OPEN, relay: true })
    network.start('s', { ...OPEN, relay: true, bootstrap: [network.at('r')] })
    for (const host of ['b', 'c']) network.start(host, { ...OPEN, bootstrap: [network.at('r'), network.at('s')] })
    await network.meet(['b', 'c'])
    const [r, s] = [await network.idOf('r'), await network.idOf('s')]
    const relaysOf = async (site: string): Promise<number> => (await network.report(site))?.status.relays.length ?? 0
    await network.until('both have two relays', async () => await relaysOf('b') === 2 && await relaysOf('c') === 2)
    const { reach = '' } = (await network.peer('b', 'c'))!
    expect(reach).to.match(/^relayed by /)
    const [killed, left] = reach.includes(r) ? ['r', s] : ['s', r]
    await network.kill(killed)
    const before = await network.exchanges('b', 'c')
    const tookMs = await network.until('they go on through the other', async () =>
      await network.exchanges('b', 'c') > before + 1 && (await network.peer('b', 'c'))?.reach?.includes(left) === true)
    expect(tookMs).to.be.below(30_000)
    network.start(killed, { ...OPEN, relay: true, bootstrap: [network.at(left)] })
    const met = await network.exchanges('b', killed)
    await network.until('the killed one exchanges again', async () => await network.exchanges('b', killed) > met)
    await network.expectConserved('r', 's', 'b', 'c')
  })
})
