import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { createHost, type Host, type HostInit } from '../../../src/node/network/host.ts'
import { keyedNoise } from '../../../src/node/network/keyed-noise.ts'
import { PeerLimits } from '../../../src/node/network/limits/peer-limits.ts'
import { OutboundProxy } from '../../../src/node/network/reach/outbound-proxy.ts'
import type { Tls } from '../../../src/node/network/reach/transports.ts'

const FEDERATION = 'ab'.repeat(32)
const SECRET = 'geheim-42'

describe('ways in and out', function () {
  this.timeout(600_000)
  const hosts: Host[] = []
  const servers: Server[] = []
  let folder: string
  let tls: Tls

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=site.example', '-days', '1', '-newkey', 'rsa:2048', '-nodes']
    await promisify(execFile)('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert])
    tls = { key: await readFile(key), cert: await readFile(cert) }
  })

  after(async () => { await rm(folder, { recursive: true }) })

  afterEach(async () => {
    await Promise.all(hosts.splice(0).map(async (host) => { await host.stop() }))
    for (const server of servers.splice(0)) server.close()
  })

  async function start (over: Partial<Pick<HostInit<never>, 'listen' | 'proxy' | 'tls' | 'reverseProxy'>> = {}): Promise<Host> {
    const host = await createHost({
      key: await generateKeyPair('Ed25519'),
      federationId: FEDERATION,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      limits: new PeerLimits({ onBan: () => {} }),
      encrypter: keyedNoise({ federationId: FEDERATION, networkKey: Buffer.alloc(32, 7), onRefused: () => {} }),
      services: {},
      ...over
    })
    hosts.push(host)
    return host
  }

  async function port (server: Server): Promise<number> {
    servers.push(server.listen(0, '127.0.0.1'))
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  /** CONNECT with a password, as a hospital's proxy has it; whatever name is asked for leads to `onward`. */
  function connectProxy (asked: string[], onward: number): Server {
    return createHttp().on('connect', (request, socket: Socket, head: Buffer) => {
      socket.on('error', () => {})
      if (request.headers['proxy-authorization'] !== `Basic ${Buffer.from(`site:${SECRET}`).toString('base64')}`) {
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
        return
      }
      asked.push(request.url ?? '')
      const target = connect(onward, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        target.write(head)
        socket.pipe(target).pipe(socket)
      })
      target.on('error', () => {})
    })
  }

  const tcpPort = (host: Host): number => Number(host.services.own.listening[0]!.getComponents()[1]!.value)

  /** Where the next connection to this site comes from, as the site sees it. */
  async function originOfNext (site: Host): Promise<string | undefined> {
    const [{ detail }] = await once(site, 'connection:open') as [CustomEvent<Connection>]
    return detail.remoteAddr.getComponents()[0]?.value
  }

  it('a certificate of its own: WSS', async () => {
    const site = await start({ listen: ['/ip4/127.0.0.1/tcp/0/tls/ws'], tls })
    expect(site.getMultiaddrs()[0]?.toString()).to.include('/tls/ws')
    const other = await start()
    expect((await other.dial(site.getMultiaddrs()[0]!)).remotePeer.equals(site.peerId)).to.equal(true)
  })

  it('a reverse proxy with TLS and a path', async () => {
    const site = await start({ listen: ['/ip4/127.0.0.1/tcp/0/ws'], reverseProxy: ['127.0.0.1'] })
    const paths: string[] = []
    const reverse = createHttps(tls).on('upgrade', (request, socket: Socket, head: Buffer) => {
      paths.push(request.url ?? '')
      const target = connect(tcpPort(site), '127.0.0.1', () => {
        const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`).join('\r\n')
        // What a client says itself stands before what the proxy adds.
        target.write(`GET / HTTP/1.1\r\n${headers}\r\nX-Forwarded-For: 198.51.100.1, 203.0.113.7\r\n\r\n`)
        target.write(head)
        socket.pipe(target).pipe(socket)
      })
      for (const each of [socket, target]) each.on('error', () => {})
    }) as unknown as Server
    const other = await start()
    const address = `/dns4/localhost/tcp/${await port(reverse)}/tls/ws/http-path/consilium%2Fsite/p2p/${site.peerId.toString()}`
    const seen = originOfNext(site)
    expect((await other.dial(multiaddr(address))).remotePeer.equals(site.peerId)).to.equal(true)
    expect(paths).to.deep.equal(['/consilium/site'])
    expect(await seen).to.equal('203.0.113.7')
  })

  it('where a connection comes from is the word of no proxy that this site does not name', async () => {
    const site = await start({ listen: ['/ip4/127.0.0.1/tcp/0/ws'], reverseProxy: ['10.0.0.0/8'] })
    const reverse = createServer((socket) => {
      const target = connect(tcpPort(site), '127.0.0.1')
      socket.once('data', (request: Buffer) => {
        target.write(request.toString('latin1').replace('\r\n', '\r\nX-Forwarded-For: 203.0.113.7\r\n'), 'latin1')
        socket.pipe(target).pipe(socket)
      })
      for (const each of [socket, target]) each.on('error', () => {})
    })
    const other = await start()
    const seen = originOfNext(site)
    await other.dial(multiaddr(`/ip4/127.0.0.1/tcp/${await port(reverse)}/ws/p2p/${site.peerId.toString()}`))
    expect(await seen).to.equal('127.0.0.1')
  })

  it('an HTTP proxy with a password: TCP and WebSocket, names looked up by the proxy', async () => {
    for (const [listen, way] of [['/ip4/127.0.0.1/tcp/0', ''], ['/ip4/127.0.0.1/tcp/0/ws', '/ws']] as const) {
      const site = await start({ listen: [listen] })
      const asked: string[] = []
      const at = await port(connectProxy(asked, tcpPort(site)))
      const inside = await start({ proxy: `http://site:${SECRET}@127.0.0.1:${at}` })
      const connection = await inside.dial(multiaddr(`/dns4/site.example/tcp/4001${way}/p2p/${site.peerId.toString()}`))
      expect(connection.remotePeer.equals(site.peerId)).to.equal(true)
      expect(asked).to.deep.equal(['site.example:4001'])
    }
  })

  it('says what the proxy said, and no password', async () => {
    const at = await port(connectProxy([], 1))
    const proxy = new OutboundProxy(`http://site:wrong-${SECRET}@127.0.0.1:${at}`)
    const error = await proxy.open({ host: 'site.example', port: 443 }).then(() => undefined, (reason: Error) => reason)
    expect(error?.message).to.equal(`the proxy 127.0.0.1:${at} wants another user and password (407)`)
    const gone = new OutboundProxy(`socks5://site:${SECRET}@127.0.0.1:1`)
    const refused = await gone.open({ host: 'site.example', port: 443 }).then(() => undefined, (reason: Error) => reason)
    expect(refused?.message).to.match(/^the proxy 127\.0\.0\.1:1 /).and.not.include(SECRET)
  })

  it('what was opened through a proxy outlasts the time that it had to be opened', async () => {
    const echo = createServer((socket) => { socket.pipe(socket) })
    const at = await port(connectProxy([], await port(echo)))
    const limit = new AbortController()
    const socket = await new OutboundProxy(`http://site:${SECRET}@127.0.0.1:${at}`).open({ host: 'site.example', port: 1 }, limit.signal)
    limit.abort()
    socket.write('there')
    const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(60_000) }) as [Buffer]
    expect(answer.toString()).to.equal('there')
    socket.destroy()
  })

  it('a SOCKS5 proxy', async () => {
    const site = await start()
    // The protocol's own bytes: no password, connect to a name, granted.
    const socks = createServer((socket) => {
      socket.once('data', () => {
        socket.write(Buffer.from([5, 0]))
        socket.once('data', () => {
          const target = connect(tcpPort(site), '127.0.0.1', () => {
            socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
            socket.pipe(target).pipe(socket)
          })
          target.on('error', () => {})
        })
      })
      socket.on('error', () => {})
    })
    const inside = await start({ proxy: `socks5h://127.0.0.1:${await port(socks)}` })
    const connection = await inside.dial(multiaddr(`/dns4/site.example/tcp/4001/p2p/${site.peerId.toString()}`))
    expect(connection.remotePeer.equals(site.peerId)).to.equal(true)
  })

  it('goes to this machine, and where NO_PROXY says, by itself', () => {
    const proxy = new OutboundProxy('http://proxy.example:3128')
    const before = process.env['NO_PROXY']
    process.env['NO_PROXY'] = '.hospital.example'
    try {
      expect(proxy.of({ host: '127.0.0.1', port: 1 })).to.equal(undefined)
      expect(proxy.of({ host: 'pacs.hospital.example', port: 1 })).to.equal(undefined)
      expect(proxy.of({ host: '10.0.0.5', port: 1 })?.host).to.equal('proxy.example:3128')
      expect(proxy.of({ host: 'site.example', port: 1 })?.host).to.equal('proxy.example:3128')
    } finally {
      if (before == null) delete process.env['NO_PROXY']
      else process.env['NO_PROXY'] = before
    }
  })
})
