import type { Multiaddr } from '@multiformats/multiaddr'
import { addressClass } from '../../../audit/address-class.ts'

const UNSPECIFIED = new Set(['0.0.0.0', '::'])
const OF_ONE_LINK = /^(fe[89ab]|169\.254\.)/i

/** Of all addresses that a site has: what it was told to announce, or else what others can reach, and always those at its relays. */
export function announceable (addresses: readonly Multiaddr[], told: readonly string[] = []): Multiaddr[] {
  const known = addresses.filter((address) => !UNSPECIFIED.has(address.getComponents()[0]?.value ?? ''))
  if (told.length > 0) {
    const toAnnounce = new Set(told.map(withoutPeer))
    return known.filter((address) => isRelayed(address) || toAnnounce.has(withoutPeer(address.toString())))
  }
  return reachable(known)
}

/** Loopback and link-local addresses mean another machine to everybody else: they count only where a site has no others. */
function reachable (addresses: readonly Multiaddr[]): Multiaddr[] {
  const far = addresses.filter((address) => !isNear(address))
  return far.length > 0 ? far : [...addresses]
}

export function isRelayed (address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'p2p-circuit')
}

/** Means this machine, or whatever is on the same cable. */
export function isNear (address: Multiaddr): boolean {
  const [first] = address.getComponents()
  return !isRelayed(address) && (addressClass(address) === 'loopback' || OF_ONE_LINK.test(first?.value ?? ''))
}

/** Host and port alone, as the socket has them. */
export function socketOf (address: Multiaddr): string {
  const [first, second] = address.getComponents()
  return `${first?.name}/${first?.value}/${second?.name}/${second?.value}`
}

function withoutPeer (address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}
