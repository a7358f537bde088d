import { expect } from 'chai'
import { OPEN } from './network.ts'
import { networks } from './networks.ts'

describe('addresses of hospitals (network namespaces, nftables)', function () {
  this.timeout(900_000)
  const { create } = networks()

  it('IPv6 only: joined by one invitation, all rounds to their end', async () => {
    const network = await create(['a', 'b', 'c'], [], { rounds: 15 })
    for (const host of ['a', 'b', 'c']) await network.sh(host, 'ip -4 addr flush dev eth0')
    const listen = ['/ip6/::/tcp/4001']
    network.start('a', { listen, waitFor: 3 })
    for (const host of ['b', 'c']) {
      await network.join(host, 'a', ['/ip6/fd99::1/tcp/4001'])
      network.start(host, { listen, waitFor: 3 })
    }
    await network.meet(['b', 'a'], ['c', 'a'], ['b', 'c'])
    await network.ended('a', 'b', 'c')
    await network.expectConserved('a', 'b', 'c')
  })

  it('behind a NAT with a port forward, as Docker has it, by --announce: joined by one invitation, all rounds to their end', async () => {
    const network = await create(['a', 'b', 'c'], ['router'], { rounds: 15 })
    await network.sh('a', 'ip addr flush dev eth0; ip addr add 172.18.0.2/24 dev eth0; ip route add default via 172.18.0.1')
    await network.sh('router', `ip addr add 172.18.0.1/24 dev eth0; echo 1 > /proc/sys/net/ipv4/ip_forward
      nft add table ip nat
      nft 'add chain ip nat pre { type nat hook prerouting priority -100; }'
      nft 'add chain ip nat post { type nat hook postrouting priority 100; }'
      nft add rule ip nat pre ip daddr ${network.addressOf('router')} tcp dport 5001 dnat to 172.18.0.2:4001
      nft add rule ip nat post masquerade`)
    const address = network.at('router', 'tcp/5001')
    network.start('a', { ...OPEN, announce: [address], waitFor: 3 })
    for (const host of ['b', 'c']) {
      await network.join(host, 'a', [address])
      network.start(host, { ...OPEN, waitFor: 3 })
    }
    await network.meet(['b', 'a'], ['c', 'a'], ['b', 'c'])
    await network.ended('a', 'b', 'c')
    await network.expectConserved('a', 'b', 'c')
  })

  it('a site whose address changes is found again within a minute, and its announcements with it', async () => {
    const network = await create(['a', 'b', 'c'])
    network.start('a', OPEN)
    for (const host of ['b', 'c']) network.start(host, { ...OPEN, bootstrap: [network.at('a')] })
    await network.meet(['a', 'b'], ['b', 'c'], ['a', 'c'])
    await network.sh('b', 'ip addr del 10.99.0.2/24 dev eth0; ip addr add 10.99.0.77/24 dev eth0')
    const before = await network.exchanges('a', 'b')
    const round = (await network.peer('a', 'b'))?.round ?? 0
    await network.until('it exchanges and is heard again', async () =>
      await network.exchanges('a', 'b') > before + 2 && ((await network.peer('a', 'b'))?.round ?? 0) > round + 2, 60_000)
    expect((await network.peer('a', 'b'))?.addresses.join()).to.include('10.99.0.77')
  })
})
