import { z } from 'zod'
import { setting, whole } from '../setting.ts'
import { isMultiaddress } from './multiaddress.ts'

const ADDRESSES = 'must be addresses such as /ip4/10.0.0.5/tcp/4001'
const PROXY = 'must be the address of a proxy such as http://proxy.hospital:3128 or socks5://proxy.hospital:1080'
const NETWORKS = 'must be addresses such as 127.0.0.1, or networks such as 10.0.0.0/8'
const FILE = 'must name a file'
const LISTENER = 'must be an address of this machine and a port, such as 0.0.0.0:9465'
const LARGEST_PORT = 65_535
const SCHEMES = /^(https?|socks[45]?[ah]?):$/
const addresses = z.array(z.string(ADDRESSES).refine(isMultiaddress, ADDRESSES), ADDRESSES)

/** More sites than any site remembers are never waited for. */
const MOST_MEMBERS = 1_000

const MOST_ROUNDS = 100_000

/** Where this site listens, whom it asks first, and whom it waits for. */
export const network = z.strictObject({
  listen: setting(addresses.min(1, ADDRESSES).default(['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0/ws']), 'Addresses to listen on'),
  announce: setting(
    addresses.default([]),
    'Addresses at which others reach this site, instead of those of its machine: behind NAT, a port forward, a container or a reverse ' +
      'proxy, such as /dns4/hospital.example/tcp/443/tls/ws'
  ),
  bootstrap: setting(addresses.default([]), 'Addresses of sites that are up, such as /ip4/10.0.0.5/tcp/4001/p2p/12D3…'),
  waitFor: setting(
    whole(MOST_MEMBERS, 1).default(2),
    'Members, this site among them, that must be there before its first round begins; 1 to wait for nobody'
  ),
  aloneRounds: setting(
    whole(MOST_ROUNDS, 1).default(3),
    'Rounds without an exchange after which training pauses until another site is there; as many as sites may be apart and still exchange'
  ),
  controlPort: setting(whole(LARGEST_PORT).default(0), 'Loopback port of the control API, 0 for any'),
  metricsToken: setting(
    z.string(FILE).min(1, FILE).optional(),
    'File with a token of 24 characters or more that may read /metrics and /healthz of the control port, and nothing else: for Prometheus',
    { otherwise: 'none: the token of control.json alone reads them' }
  ),
  metricsListen: setting(
    z.string(LISTENER).refine(isListener, LISTENER).optional(),
    'Where /metrics and /healthz answer beside loopback, and nothing else does, to who has the token of metricsToken: in a container, ' +
      'for a Prometheus outside it, such as 0.0.0.0:9465; plain HTTP, so only in a network that you trust',
    { otherwise: 'loopback alone' }
  ),
  proxy: setting(
    z.string(PROXY).refine(isProxy, PROXY).optional(),
    'Proxy for connections that this site opens, with user and password where it wants them (then best in config.json)',
    { otherwise: 'what HTTPS_PROXY, ALL_PROXY and NO_PROXY say' }
  ),
  reverseProxy: setting(
    z.array(z.string(NETWORKS).refine(isNetwork, NETWORKS), NETWORKS).default([]),
    'Addresses of reverse proxies in front of this site: where a connection comes from, which limits count by, is what they say in ' +
      'X-Forwarded-For'
  ),
  relay: setting(
    z.boolean().default(false),
    'Pass connections on between members that cannot reach each other: for a site that all can reach'
  ),
  tlsCertificate: setting(z.string(FILE).min(1, FILE).optional(), 'Certificate (PEM) for addresses with /tls/ws', { otherwise: 'none' }),
  tlsKey: setting(z.string(FILE).min(1, FILE).optional(), 'Private key (PEM) of the TLS certificate', { otherwise: 'none' })
})

export type NetworkSettings = Readonly<z.infer<typeof network>>

function isListener (text: string): boolean {
  return listenerOf(text) != null
}

/** Host and port of an address such as 0.0.0.0:9465 or [::]:9465; undefined where it is none. */
export function listenerOf (text: string): { readonly host: string, readonly port: number } | undefined {
  const [, bracketed, bare, digits] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = bracketed ?? bare
  const isAddress = z.ipv4().safeParse(bare).success || z.ipv6().safeParse(bracketed).success
  return host != null && isAddress && Number(digits) <= LARGEST_PORT ? { host, port: Number(digits) } : undefined
}

function isNetwork (text: string): boolean {
  return z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]).safeParse(text).success
}

function isProxy (text: string): boolean {
  return URL.canParse(text) && SCHEMES.test(new URL(text).protocol) && new URL(text).hostname !== ''
}
