import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import proxyAddr from '@fastify/proxy-addr'
import type { Listener } from '@libp2p/interface'

/** What libp2p's listener of WebSockets has beside its interface. */
interface Accepting {
  onWsServerConnection (socket: unknown, request: Seen): void
}

type Seen = Pick<IncomingMessage, 'destroy'> & { readonly socket: Pick<IncomingMessage['socket'], 'remoteAddress' | 'remotePort'> }

/**
 * The same listener, to which a connection comes from where the reverse proxies in front of it say (X-Forwarded-For): what is limited per
 * address is then no matter of all who come through one proxy.
 */
export function seeingThrough (listener: Listener, proxies: readonly string[]): Listener {
  if (proxies.length === 0) return listener
  const accepting = listener as Listener & Accepting
  const accept = accepting.onWsServerConnection.bind(accepting)
  accepting.onWsServerConnection = (socket, request) => { accept(socket, seen(request as IncomingMessage, proxies)) }
  return listener
}

function seen (request: IncomingMessage, proxies: readonly string[]): Seen {
  const remoteAddress = proxyAddr(request, [...proxies])
  if (isIP(remoteAddress) === 0) return request
  const { remotePort } = request.socket
  return { socket: { remoteAddress, remotePort }, destroy: (error) => request.destroy(error) }
}
