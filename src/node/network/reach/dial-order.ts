import type { Address } from '@libp2p/interface'
import { addressClass } from '../../../audit/address-class.ts'

const ORDER = ['public', 'private', 'loopback', 'relayed']

/** Straight ways first, relays last; of equal ones plain TCP first. */
export function dialOrder (a: Pick<Address, 'multiaddr'>, b: Pick<Address, 'multiaddr'>): -1 | 0 | 1 {
  return Math.sign(rank(a) - rank(b)) as -1 | 0 | 1
}

function rank ({ multiaddr }: Pick<Address, 'multiaddr'>): number {
  const isWeb = multiaddr.getComponents().some(({ name }) => name === 'ws' || name === 'wss')
  return 2 * ORDER.indexOf(addressClass(multiaddr)) + Number(isWeb)
}
