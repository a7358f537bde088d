import type { Multiaddr } from '@multiformats/multiaddr'

const PRIVATE = [
  /^10\./,
  /^192\.168\./,
  /^172\.(1[6-9]|2\d|3[01])\./,
  /^169\.254\./,
  /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./,
  /^f[cd]/i,
  /^fe80:/i
]

/** Where a connection came from or went to, and no more than that: 'loopback', 'private', 'public' or 'relayed'. */
export function addressClass (address: Multiaddr): string {
  const parts = address.getComponents()
  if (parts.some(({ name }) => name === 'p2p-circuit')) return 'relayed'
  const host = (parts[0]?.value ?? '').replace(/^::ffff:/i, '')
  if (host === '::1' || host.startsWith('127.')) return 'loopback'
  return PRIVATE.some((each) => each.test(host)) ? 'private' : 'public'
}
