import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import type { ServiceFactoryMap } from 'libp2p'
import { createHost, type Host } from '../../../src/node/network/host.ts'
import { type FailedHandshake, keyedNoise } from '../../../src/node/network/keyed-noise.ts'
import { PeerLimits } from '../../../src/node/network/limits/peer-limits.ts'
import { boundedGossipsub } from '../../../src/node/network/pubsub.ts'
import { LastingStreams } from '../../../src/node/network/reach/lasting-streams.ts'
import { StaleConnections } from '../../../src/node/network/reach/stale-connections.ts'
import { announce as announceService, type Announce, type Announcement } from '../../../src/protocol/announce/index.ts'
import { createLogger } from '../../../src/rounds/logger.ts'

const FEDERATION = 'ab'.repeat(32)
const LISTEN = ['/ip4/127.0.0.1/tcp/0']
const SAID: Omit<Announcement, 'round'> = { phase: 'G', schemaHash: '0'.repeat(64), sketch: new Float32Array(64), protocols: [] }

describe('addresses and handshakes of real hosts', function () {
  this.timeout(600_000)
  const hosts: Host[] = []
  const closers: (() => void)[] = []
  /** What makes a line that leads on swallow everything. */
  const cuts: (() => void)[] = []

  afterEach(async () => {
    await Promise.all(hosts.splice(0).map(async (host) => { await host.stop() }))
    for (const close of closers.splice(0)) close()
  })

  async function start (
    { listen = LISTEN, announce = [], networkKey = 7, failures = [], services = {} }: {
      listen?: string[], announce?: string[], networkKey?: number, failures?: FailedHandshake[], services?: object
    } = {}
  ): Promise<Host> {
    const host = await createHost({
      key: await generateKeyPair('Ed25519'),
      federationId: FEDERATION,
      listen,
      announce,
      limits: new PeerLimits({ onBan: () => {} }),
      encrypter: keyedNoise({
        federationId: FEDERATION,
        networkKey: Buffer.alloc(32, networkKey),
        onRefused: (failure) => { failures.push(failure) }
      }),
      services: services as ServiceFactoryMap
    })
    hosts.push(host)
    return host
  }

  const socketOf = (host: Host): string => host.getMultiaddrs()[0]!.toString().replace(/\/p2p\/.*/, '')

  it('announces no loopback address where the machine has others', async function () {
    const others = Object.values(networkInterfaces()).flat().filter((each) => each?.family === 'IPv4' && !each.internal)
    if (others.length === 0) this.skip()
    const host = await start({ listen: ['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0/ws'] })
    expect(host.getMultiaddrs().map(String).filter((each) => each.includes('/127.'))).to.deep.equal([])
    expect(host.getMultiaddrs()).to.have.length(2 * others.length)
  })

  it('announces what it was told, and others learn that alone', async () => {
    const host = await start({ announce: ['/dns4/site.example/tcp/4001'] })
    const address = multiaddr(`/ip4/127.0.0.1/${host.services.own.listening[0]!.toString().split('/').slice(3).join('/')}`)
    const other = await start()
    await other.dial(address)
    await once(other, 'peer:identify')
    const { addresses } = await other.peerStore.get(host.peerId)
    expect(addresses.map((each) => each.multiaddr.toString())).to.include('/dns4/site.example/tcp/4001')
  })

  it('does not dial itself, nor the loopback of a site that has other addresses', async () => {
    const other = await start()
    const third = await start()
    const host = await start()
    const mine = multiaddr(`${socketOf(host)}/p2p/${other.peerId.toString()}`)
    expect(await host.dial(mine).catch((error: unknown) => error)).to.have.property('name', 'DialDeniedError')
    await host.peerStore.merge(other.peerId, { multiaddrs: [multiaddr('/ip4/203.0.113.9/tcp/9'), multiaddr(socketOf(other))] })
    const failed = await host.dial(other.peerId, { signal: AbortSignal.timeout(1_500) }).catch((error: Error) => error)
    expect(failed).to.be.instanceOf(Error)
    expect((await host.dial(multiaddr(socketOf(third)))).remotePeer.equals(third.peerId)).to.equal(true)
  })

  it('names each cause of a failed handshake', async () => {
    const failures: FailedHandshake[] = []
    const causeOf = async (address: string): Promise<string | undefined> => {
      failures.length = 0
      await host.dial(multiaddr(address)).catch(() => {})
      return failures[0]?.cause
    }
    const host = await start({ failures })
    const other = await start()
    const stranger = await start({ networkKey: 8 })
    const id = stranger.peerId.toString()
    expect(await causeOf(`${socketOf(stranger)}/p2p/${id}`)).to.equal('KEY')
    expect(await causeOf(`${socketOf(other)}/p2p/${id}`)).to.equal('IDENTITY')
    expect(await causeOf(await forwarding(host, id))).to.equal('SELF')
    // The names of protocols come whole, and of the handshake a part.
    expect(await causeOf(await forwarding(other, id, 60))).to.equal('LINE')
  })

  it('announcements go on when the connection that they began on ends and another stays', async () => {
    const heard: number[][] = [[], []]
    const [a, b] = await Promise.all(heard.map(async (rounds) => {
      const lasting = new LastingStreams()
      const host = await start({
        services: { pubsub: lasting.around(boundedGossipsub(FEDERATION)), announce: announceService({ federationId: FEDERATION }) }
      })
      lasting.start()
      closers.push(() => { lasting.stop() })
      const service = (host.services as unknown as { announce: Announce }).announce
      service.addEventListener('announcement', ({ detail }) => { rounds.push(detail.announcement.round) })
      return { host, service, rounds }
    }))
    const say = async (round: number): Promise<void> => {
      for (const { service } of [a!, b!]) await service.publish({ ...SAID, round })
    }
    const first = await a!.host.dial(b!.host.getMultiaddrs())
    await until(async () => {
      await say(1)
      return heard.every((rounds) => rounds.includes(1))
    })
    await b!.host.dial(a!.host.getMultiaddrs(), { force: true })
    await until(() => a!.host.getConnections(b!.host.peerId).length > 1)
    // Whoever is told of the new connection has its stream yet.
    await sleep(1_000)
    first.abort(new Error('its address is gone'))
    await until(async () => {
      await say(2)
      return heard.every((rounds) => rounds.includes(2))
    })
  })

  it('ends a connection that leads nowhere beside a new one, and none that answers', async () => {
    const [a, b] = [await start(), await start()]
    const stale = new StaleConnections(a, createLogger('silent'), 5_000)
    stale.start()
    closers.push(() => { stale.stop() })
    const alive = await a.dial(b.getMultiaddrs())
    const path = await forwarding(b, b.peerId.toString())
    const dead = await a.dial(multiaddr(path), { force: true })
    for (const cut of cuts.splice(0)) cut()
    await b.dial(a.getMultiaddrs(), { force: true })
    await until(() => dead.status !== 'open')
    expect(alive.status).to.equal('open')
  })

  it('leaves no rejection behind where a connection breaks just when it is asked', async () => {
    const [a, b] = [await start(), await start()]
    const connection = await a.dial(b.getMultiaddrs())
    const newStream: typeof connection.newStream = async (...args) => {
      const stream = await connection.newStream(...args)
      const send = stream.send.bind(stream)
      stream.send = (data) => {
        connection.abort(new Error('the line is gone'))
        return send(data)
      }
      return stream
    }
    const breaking = new Proxy(connection, {
      get: (target, name) => name === 'newStream' ? newStream : Reflect.get(target, name, target) as unknown
    })
    const stale = new StaleConnections(Object.assign(new EventTarget(), { getConnections: () => [breaking] }), createLogger('silent'))
    const left: unknown[] = []
    const onLeft = (reason: unknown): void => { left.push(reason) }
    process.on('unhandledRejection', onLeft)
    closers.push(() => { process.off('unhandledRejection', onLeft) })
    stale.askAll()
    await until(() => connection.status !== 'open')
    stale.stop()
    await sleep(0)
    expect(left).to.deep.equal([])
  })

  async function until (holds: () => Promise<boolean> | boolean): Promise<void> {
    const end = Date.now() + 120_000
    while (!await holds()) {
      if (Date.now() > end) throw new Error('waited in vain')
      await sleep(300)
    }
  }

  /** An address that leads to this host, for so many bytes of its answer. */
  async function forwarding (host: Host, id: string, bytes = Infinity): Promise<string> {
    const port = Number(host.services.own.listening[0]!.getComponents()[1]!.value)
    const server = createServer((socket) => {
      const onward = connect(port, '127.0.0.1')
      let left = bytes
      onward.on('data', (data: Buffer) => {
        socket.write(data.subarray(0, left))
        left -= data.length
        if (left <= 0) socket.end(() => { onward.destroy() })
      })
      cuts.push(() => {
        socket.unpipe(onward)
        socket.resume()
        onward.removeAllListeners('data').resume()
      })
      socket.pipe(onward)
      for (const each of [socket, onward]) each.on('error', () => {})
    }).listen(0, '127.0.0.1')
    closers.push(() => { server.close() })
    await once(server, 'listening')
    return `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}/p2p/${id}`
  }
})
