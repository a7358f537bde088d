import type { Connection } from '@libp2p/interface'
import type { OutboundProxy } from './outbound-proxy.ts'
import { isDirect, relayOf } from './relay-keeper.ts'

type Way = Pick<Connection, 'remoteAddr' | 'status' | 'direction'>

/** How a site is connected to a peer; undefined where it is not. */
export function reachWords (connections: readonly Way[], proxy: Pick<OutboundProxy, 'of'>): string | undefined {
  const open = connections.filter(({ status }) => status === 'open')
  const direct = open.filter(isDirect)
  if (direct.length === 0) return open[0] == null ? undefined : `relayed by ${relayOf(open[0].remoteAddr) ?? 'a member'}`
  return direct.every((each) => isProxied(each, proxy)) ? 'through the proxy' : 'direct'
}

function isProxied ({ remoteAddr, direction }: Way, proxy: Pick<OutboundProxy, 'of'>): boolean {
  const [first, second] = remoteAddr.getComponents()
  return direction === 'outbound' && proxy.of({ host: first?.value ?? '', port: Number(second?.value) }) != null
}
