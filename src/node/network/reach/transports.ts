import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import type { Transport } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import type { Multiaddr } from '@multiformats/multiaddr'
import { WebSocket } from 'ws'
import type { DialOrder } from './dial-order.ts'
import { seeingThrough } from './forwarded.ts'
import type { OutboundProxy } from './outbound-proxy.ts'
import { webAddress, withoutPath } from './web-address.ts'

type Create = (components: never) => Transport
interface Dialling { readonly signal?: AbortSignal }

/** What libp2p's transports have beside their interface. */
interface Connecting {
  _connect (address: Multiaddr, options: Dialling): Promise<unknown>
}

export interface Tls { readonly key: Buffer, readonly cert: Buffer }

export interface TransportsInit {
  readonly proxy: OutboundProxy
  readonly tls?: Tls | undefined
  /** Reverse proxies in front of this site, whose word on where a connection comes from is taken. */
  readonly reverseProxies: readonly string[]
  /** Told which addresses answer. */
  readonly order: Pick<DialOrder, 'watch'>
  /** The components that a service for certified peers alone gets. */
  readonly certified: <T extends object>(components: T) => T
}

/** Members pass this many connections on to one site, and one site opens this many through a relay. */
const MOST_RELAYED = 64

/** TCP and WebSocket, through the proxy where there is one, and what other members pass on. */
export function transports ({ certified, ...init }: TransportsInit): Create[] {
  return [proxiedTcp(init), proxiedWebSockets(init), relayed(certified)]
}

function proxiedTcp ({ proxy, order }: Pick<TransportsInit, 'proxy' | 'order'>): Create {
  return (components) => {
    const transport = tcp()(components) as Transport & Connecting
    const direct = transport._connect.bind(transport)
    transport._connect = async (address, options) => {
      const [first, second] = address.getComponents()
      const target = { host: first?.value ?? '', port: Number(second?.value) }
      return await order.watch(address, async () =>
        proxy.of(target) == null ? await direct(address, options) : await proxy.open(target, options.signal))
    }
    return transport
  }
}

/** Who is at the other end is proven by Noise inside; TLS is for the firewalls between, which want to see it. */
function proxiedWebSockets ({ proxy, tls, order, reverseProxies }: Omit<TransportsInit, 'certified'>): Create {
  return (components) => {
    const transport = webSockets(tls == null ? {} : { https: tls })(components) as Transport & Connecting
    transport._connect = async (address, { signal }) => await order.watch(address, async () => {
      const { url, isSecure, ...target } = webAddress(address)
      const tunnel = proxy.of(target) == null ? undefined : await proxy.open(target, signal)
      const socket = new WebSocket(url, {
        perMessageDeflate: false,
        rejectUnauthorized: false,
        ...(tunnel == null ? {} : { createConnection: () => isSecure ? overTls(tunnel, target.host) : tunnel })
      })
      socket.binaryType = 'arraybuffer'
      await opened(socket, signal)
      return socket
    })
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => seeingThrough(createListener(options), reverseProxies)
    return accepting(transport)
  }
}

function overTls (socket: Socket, host: string): Socket {
  return connectTls({ socket, servername: /^[\d.:[\]]+$/.test(host) ? '' : host, rejectUnauthorized: false })
}

async function opened (socket: WebSocket, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = (): void => { reject(signal?.reason as Error) }
  signal?.addEventListener('abort', onAbort)
  socket.once('open', resolve)
  // Stays: an error that comes after the end has nobody else to go to.
  socket.on('error', reject)
  try {
    await promise
  } catch (error) {
    socket.terminate()
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Only certified members reserve, are passed on, and pass on. */
function relayed (certified: TransportsInit['certified']): Create {
  const create = circuitRelayTransport({ maxInboundStopStreams: MOST_RELAYED, maxOutboundStopStreams: MOST_RELAYED })
  return (components) => accepting(create(certified(components)))
}

/** The same transport, which also takes addresses with a path. */
function accepting (transport: Transport): Transport {
  const dialFilter = transport.dialFilter.bind(transport)
  transport.dialFilter = (addresses) => addresses.filter((each) => dialFilter([withoutPath(each)]).length > 0)
  return transport
}
