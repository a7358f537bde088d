import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { has, OPEN } from './network.ts'
import { networks } from './networks.ts'
import { behindNginx, certify } from './nginx.ts'

describe('ways in and out of hospitals (network namespaces, nftables)', function () {
  this.timeout(900_000)
  const { create } = networks()

  it('only TCP 443 outbound, WSS with an own certificate: joined by one invitation, all rounds to their end', async () => {
    const network = await create(['a', 'b', 'c'], [], { rounds: 15 })
    const { key, cert } = await certify(network, 'a')
    const listen = ['/ip4/0.0.0.0/tcp/443/tls/ws', '/ip4/0.0.0.0/tcp/4001']
    network.start('a', { listen, tlsCertificate: cert, tlsKey: key, relay: true, waitFor: 3 })
    for (const host of ['b', 'c']) {
      await network.closeInbound(host)
      await network.onlyTo(host, 443)
      await network.join(host, 'a', [network.at('a', 'tcp/443/tls/ws')])
      network.start(host, { ...OPEN, waitFor: 3 })
    }
    await network.meet(['b', 'a'], ['c', 'a'], ['b', 'c'])
    await network.ended('a', 'b', 'c')
    await network.expectConserved('a', 'b', 'c')
  })

  it('only through squid, by CONNECT with a password: joined by one invitation, all rounds to their end', async function () {
    if (!has('squid')) this.skip()
    const network = await create(['a', 'b', 'c'], ['proxy'], { rounds: 40 })
    const folder = await mkdtemp(join(tmpdir(), 'consilium-squid-'))
    await chmod(folder, 0o777)
    const helper = join(folder, 'auth.sh')
    await writeFile(helper, '#!/bin/sh\nwhile read u p; do [ "$u $p" = "site geheim" ] && echo OK || echo ERR; done\n', { mode: 0o755 })
    await writeFile(join(folder, 'squid.conf'), [
      'http_port 3128', `pid_filename ${folder}/pid`, `cache_log ${folder}/log`, 'access_log none', 'cache deny all',
      `auth_param basic program ${helper}`, 'acl known proxy_auth REQUIRED', 'http_access allow known', 'http_access deny all', ''
    ].join('\n'))
    network.spawn('proxy', ['squid', '-N', '-f', join(folder, 'squid.conf')])
    network.start('a', { ...OPEN, relay: true, waitFor: 3 })
    const proxy = `http://site:geheim@${network.addressOf('proxy')}:3128`
    for (const host of ['b', 'c']) {
      await network.closeInbound(host)
      await network.onlyTo(host, 3_128, network.addressOf('proxy'))
      await network.join(host, 'a', [network.at('a')])
      network.start(host, { ...OPEN, proxy, waitFor: 3 })
    }
    await network.meet(['b', 'a'], ['c', 'a'], ['b', 'c'])
    expect((await network.peer('b', 'a'))?.reach).to.equal('through the proxy')
    await network.ended('a', 'b', 'c')
    await network.expectConserved('a', 'b', 'c')
    await network.kill('proxy')
    await rm(folder, { recursive: true })
  })

  it('behind nginx as TLS reverse proxy, by a DNS name alone: joined by one invitation, all rounds to their end', async function () {
    if (!has('nginx')) this.skip()
    const network = await create(['a', 'b', 'c'], [], { rounds: 30 })
    const way = await behindNginx(network, 'a')
    network.start('a', { ...way, waitFor: 3 })
    for (const host of ['b', 'c']) {
      await network.name(host, { 'site.example': network.addressOf('a') })
      await network.join(host, 'a', way.announce)
      network.start(host, { ...OPEN, waitFor: 3 })
    }
    await network.meet(['b', 'a'], ['c', 'a'], ['b', 'c'])
    expect((await network.peer('a', 'b'))?.addresses.join()).to.include(network.addressOf('b'))
    await network.ended('a', 'b', 'c')
    await network.expectConserved('a', 'b', 'c')
  })
})
