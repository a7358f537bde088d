import type { Address } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { LRUCache } from 'lru-cache'
import { addressClass } from '../../../audit/address-class.ts'
import { socketOf } from './announceable.ts'

const ORDER = ['public', 'private', 'loopback', 'relayed']
/** A dial that fails later than this was swallowed by a firewall; another address may be refused, which costs no time. */
const SILENT_AFTER_MS = 2_000
const REMEMBERED_MS = 600_000
const MOST = 1024

/**
 * Straight ways first, then relays, and last the addresses that did not answer of late: a few of them would use up the time that one dial
 * has, and no relay be tried. Of equal ones plain TCP first.
 */
export class DialOrder {
  readonly #now: () => number
  /** Until when an address comes last. */
  readonly #silent = new LRUCache<string, number>({ max: MOST })

  /** `now`: milliseconds, never going back. */
  constructor (now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Connects to this address, and remembers whether it answered. */
  async watch<T> (address: Multiaddr, connect: () => Promise<T>): Promise<T> {
    const begun = this.#now()
    try {
      const connected = await connect()
      this.#silent.delete(socketOf(address))
      return connected
    } catch (error) {
      if (this.#now() - begun > SILENT_AFTER_MS) this.#silent.set(socketOf(address), this.#now() + REMEMBERED_MS)
      throw error
    }
  }

  readonly compare = (a: Pick<Address, 'multiaddr'>, b: Pick<Address, 'multiaddr'>): -1 | 0 | 1 =>
    Math.sign(this.#rank(a) - this.#rank(b)) as -1 | 0 | 1

  #rank ({ multiaddr }: Pick<Address, 'multiaddr'>): number {
    const where = addressClass(multiaddr)
    const isWeb = multiaddr.getComponents().some(({ name }) => name === 'ws' || name === 'wss')
    const isSilent = where !== 'relayed' && this.#now() < (this.#silent.get(socketOf(multiaddr)) ?? -Infinity)
    return 2 * (ORDER.indexOf(where) + (isSilent ? ORDER.length : 0)) + Number(isWeb)
  }
}
