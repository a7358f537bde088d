import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { has, Network } from './network.ts'

const OPEN = { listen: ['/ip4/0.0.0.0/tcp/4001', '/ip4/0.0.0.0/tcp/4002/ws'] }
const FILTER = 'nft add table inet l; nft \'add chain inet l in { type filter hook input priority 0; }\''
const TLS = 'openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=site.example'

/** Not every kernel of a container has netem; nftables loses packets everywhere. */
function lossy (percent: number): string {
  return `${FILTER}; nft add rule inet l in iif != lo numgen random mod 100 '<' ${percent} drop`
}

describe('sites as hospitals have them (network namespaces, nftables, tc)', function () {
  this.timeout(900_000)
  let network: Network | undefined

  before(function () {
    if (process.getuid?.() === 0 && has('nft', 'tc', 'openssl')) return
    console.log('skipped: needs root, network namespaces, nft (package nftables), tc and openssl')
    this.skip()
  })

  afterEach(async () => {
    await network?.close()
    network = undefined
  })

  const at = (host: string, rest = 'tcp/4001'): string => `/ip4/${network!.addressOf(host)}/${rest}`

  async function meet (...pairs: readonly (readonly [string, string])[]): Promise<void> {
    for (const [a, b] of pairs) {
      await network!.until(`${a} exchanged with ${b}`, async () => await network!.exchanges(a, b) > 0, 300_000)
    }
  }

  it('two that accept nothing inbound exchange through a relay, and within 30 s through another when it is killed', async () => {
    network = await Network.create(['r', 's', 'b', 'c'])
    for (const host of ['b', 'c']) await network.closeInbound(host)
    network.start('r', { ...OPEN, relay: true })
    network.start('s', { ...OPEN, relay: true, bootstrap: [at('r')] })
    for (const host of ['b', 'c']) network.start(host, { ...OPEN, bootstrap: [at('r'), at('s')] })
    await meet(['b', 'c'])
    const [r, s] = [await network.idOf('r'), await network.idOf('s')]
    const relaysOf = async (site: string): Promise<number> => (await network!.report(site))?.status.relays.length ?? 0
    await network.until('both have two relays', async () => await relaysOf('b') === 2 && await relaysOf('c') === 2)
    const { reach = '' } = (await network.peer('b', 'c'))!
    expect(reach).to.match(/^relayed by /)
    const [killed, left] = reach.includes(r) ? ['r', s] : ['s', r]
    await network.kill(killed)
    const before = await network.exchanges('b', 'c')
    const tookMs = await network.until('they go on through the other', async () =>
      await network!.exchanges('b', 'c') > before + 1 && (await network!.peer('b', 'c'))?.reach?.includes(left) === true)
    expect(tookMs).to.be.below(30_000)
  })

  it('only TCP 443 outbound: WSS with an own certificate', async () => {
    network = await Network.create(['a', 'b', 'c'])
    const [key, cert] = [join(network.sites.folder, 'key.pem'), join(network.sites.folder, 'cert.pem')]
    await network.sh('a', `${TLS} -keyout ${key} -out ${cert} 2> /dev/null`)
    const listen = ['/ip4/0.0.0.0/tcp/443/tls/ws', '/ip4/0.0.0.0/tcp/4001']
    network.start('a', { listen, tlsCertificate: cert, tlsKey: key, relay: true })
    for (const host of ['b', 'c']) {
      await network.closeInbound(host)
      await network.onlyTo(host, 443)
      network.start(host, { ...OPEN, bootstrap: [at('a', 'tcp/443/tls/ws')] })
    }
    await meet(['b', 'a'], ['c', 'a'], ['b', 'c'])
  })

  it('only through squid, by CONNECT with a password', async function () {
    if (!has('squid')) this.skip()
    network = await Network.create(['a', 'b', 'c'], ['proxy'])
    const folder = await mkdtemp(join(tmpdir(), 'consilium-squid-'))
    await chmod(folder, 0o777)
    const helper = join(folder, 'auth.sh')
    await writeFile(helper, '#!/bin/sh\nwhile read u p; do [ "$u $p" = "site geheim" ] && echo OK || echo ERR; done\n', { mode: 0o755 })
    await writeFile(join(folder, 'squid.conf'), [
      'http_port 3128', `pid_filename ${folder}/pid`, `cache_log ${folder}/log`, 'access_log none', 'cache deny all',
      `auth_param basic program ${helper}`, 'acl known proxy_auth REQUIRED', 'http_access allow known', 'http_access deny all', ''
    ].join('\n'))
    network.spawn('proxy', ['squid', '-N', '-f', join(folder, 'squid.conf')])
    network.start('a', { ...OPEN, relay: true })
    const proxy = `http://site:geheim@${network.addressOf('proxy')}:3128`
    for (const host of ['b', 'c']) {
      await network.closeInbound(host)
      await network.onlyTo(host, 3_128, network.addressOf('proxy'))
      network.start(host, { ...OPEN, proxy, bootstrap: [at('a')] })
    }
    await meet(['b', 'a'], ['c', 'a'], ['b', 'c'])
    expect((await network.peer('b', 'a'))?.reach).to.equal('through the proxy')
    await network.kill('proxy')
    await rm(folder, { recursive: true })
  })

  it('behind nginx as TLS reverse proxy with a path, by a DNS name alone', async function () {
    if (!has('nginx')) this.skip()
    network = await Network.create(['a', 'b', 'c'])
    const { folder } = network.sites
    await network.sh('a', `${TLS} -keyout ${folder}/key.pem -out ${folder}/cert.pem 2> /dev/null`)
    await writeFile(join(folder, 'nginx.conf'), `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
      events {} http { access_log off; server { listen 443 ssl; ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
      location /consilium { proxy_pass http://127.0.0.1:4002/; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade; proxy_read_timeout 1h; } } }`)
    const child = ['sh', '-c', `ip link set lo up; exec nginx -c ${folder}/nginx.conf`]
    network.spawn('a', child)
    const announce = ['/dns4/site.example/tcp/443/tls/ws/http-path/consilium']
    network.start('a', { listen: ['/ip4/127.0.0.1/tcp/4002/ws'], announce })
    for (const host of ['b', 'c']) {
      await network.name(host, { 'site.example': network.addressOf('a') })
      network.start(host, { ...OPEN, bootstrap: announce })
    }
    await meet(['b', 'a'], ['c', 'a'], ['b', 'c'])
  })

  it('IPv6 only', async () => {
    network = await Network.create(['a', 'b', 'c'])
    for (const host of ['a', 'b', 'c']) await network.sh(host, 'ip -4 addr flush dev eth0')
    const listen = ['/ip6/::/tcp/4001']
    network.start('a', { listen })
    for (const host of ['b', 'c']) network.start(host, { listen, bootstrap: ['/ip6/fd99::1/tcp/4001'] })
    await meet(['b', 'a'], ['c', 'a'], ['b', 'c'])
  })

  it('behind a NAT with a port forward, as Docker has it, by --announce', async () => {
    network = await Network.create(['a', 'b', 'c'], ['router'])
    await network.sh('a', 'ip addr flush dev eth0; ip addr add 172.18.0.2/24 dev eth0; ip route add default via 172.18.0.1')
    await network.sh('router', `ip addr add 172.18.0.1/24 dev eth0; echo 1 > /proc/sys/net/ipv4/ip_forward
      nft add table ip nat
      nft 'add chain ip nat pre { type nat hook prerouting priority -100; }'
      nft 'add chain ip nat post { type nat hook postrouting priority 100; }'
      nft add rule ip nat pre ip daddr ${network.addressOf('router')} tcp dport 5001 dnat to 172.18.0.2:4001
      nft add rule ip nat post masquerade`)
    const address = at('router', 'tcp/5001')
    network.start('a', { ...OPEN, announce: [address] })
    network.start('b', { ...OPEN, bootstrap: [address] })
    network.start('c', { ...OPEN, bootstrap: [at('b')] })
    await meet(['b', 'a'], ['c', 'a'], ['b', 'c'])
  })

  it('a site whose address changes is found again within a minute, and its announcements with it', async () => {
    network = await Network.create(['a', 'b', 'c'])
    network.start('a', OPEN)
    for (const host of ['b', 'c']) network.start(host, { ...OPEN, bootstrap: [at('a')] })
    await meet(['a', 'b'], ['b', 'c'], ['a', 'c'])
    await network.sh('b', 'ip addr del 10.99.0.2/24 dev eth0; ip addr add 10.99.0.77/24 dev eth0')
    const before = await network.exchanges('a', 'b')
    const round = (await network.peer('a', 'b'))?.round ?? 0
    await network.until('it exchanges and is heard again', async () =>
      await network!.exchanges('a', 'b') > before + 2 && ((await network!.peer('a', 'b'))?.round ?? 0) > round + 2, 60_000)
    expect((await network.peer('a', 'b'))?.addresses.join()).to.include('10.99.0.77')
  })

  const lines = [
    ['300 ms', 'tc qdisc add dev eth0 root netem delay 150ms'],
    ['2 % loss', lossy(2)],
    ['1 Mbit/s', `${FILTER}; nft add rule inet l in limit rate over 125 kbytes/second burst 64 kbytes drop`]
  ] as const
  for (const [what, script] of lines) {
    it(`${what}: exchanges come about`, async function () {
      network = await Network.create(['a', 'b'])
      if (script.startsWith('tc') && !await network.hasNetem()) {
        console.log('skipped: this kernel has no netem')
        this.skip()
      }
      for (const host of ['a', 'b']) await network.sh(host, script)
      network.start('a', OPEN)
      network.start('b', { ...OPEN, bootstrap: [at('a')] })
      await network.until('they exchanged', async () => await network!.exchanges('a', 'b') > 2, 120_000)
    })
  }

  it('30 % loss for a while: no false reason is said, and exchanges go on within two minutes of its end', async () => {
    network = await Network.create(['a', 'b'])
    network.start('a', OPEN)
    network.start('b', { ...OPEN, bootstrap: [at('a')] })
    await meet(['a', 'b'])
    for (const host of ['a', 'b']) await network.sh(host, lossy(30))
    await new Promise((resolve) => { setTimeout(resolve, 30_000) })
    for (const host of ['a', 'b']) await network.sh(host, 'nft delete table inet l')
    const before = await network.exchanges('a', 'b')
    await network.until('they exchange again', async () => await network!.exchanges('a', 'b') > before + 2, 120_000)
    const warnings = (await network.report('b'))!.status.warnings.join()
    expect(warnings).not.to.match(/network key|certificate/)
  })
})
