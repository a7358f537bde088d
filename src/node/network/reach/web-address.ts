import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { Target } from './outbound-proxy.ts'

export interface WebAddress extends Target {
  readonly isSecure: boolean
  /** With its slash. */
  readonly path: string
  readonly url: string
}

const PATH = /\/http-path\/[^/]+/g

/** Where a WebSocket address leads; what a reverse proxy serves has a path, as in /dns4/site.example/tcp/443/tls/ws/http-path/consilium. */
export function webAddress (address: Multiaddr): WebAddress {
  const parts = address.getComponents()
  const valueOf = (name: string): string | undefined => parts.find((each) => each.name === name)?.value
  const isSecure = parts.some(({ name }) => name === 'tls' || name === 'wss')
  const host = valueOf('sni') ?? parts[0]?.value ?? ''
  const port = Number(valueOf('tcp'))
  const path = `/${decodeURIComponent(valueOf('http-path') ?? '').replace(/^\//, '')}`
  const name = host.includes(':') ? `[${host}]` : host
  return { host: parts[0]?.value ?? host, port, isSecure, path, url: `${isSecure ? 'wss' : 'ws'}://${name}:${port}${path}` }
}

/** The same address without a path, which libp2p's matchers do not know. */
export function withoutPath (address: Multiaddr): Multiaddr {
  const text = address.toString()
  return text.includes('/http-path/') ? multiaddr(text.replace(PATH, '')) : address
}
