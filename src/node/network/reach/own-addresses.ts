import type { PeerId, PeerStore, Startable } from '@libp2p/interface'
import type { AddressManager, TransportManager } from '@libp2p/interface-internal'
import type { Multiaddr } from '@multiformats/multiaddr'

export interface OwnAddressesComponents {
  readonly peerId: PeerId
  readonly peerStore: Pick<PeerStore, 'patch'>
  readonly addressManager: Pick<AddressManager, 'getAddresses' | 'confirmObservedAddr'>
  readonly transportManager: Pick<TransportManager, 'getAddrs'>
}

const LOOK_MS = 2_000
const DAY_MS = 86_400_000
// Nobody verifies them: who listens on an address of its own may say so.
const VALID_MS = 3_650 * DAY_MS

/**
 * Keeps what a site says of its addresses true: libp2p announces public ones only once somebody has verified them, and does not notice that
 * a machine gets others.
 */
export class OwnAddresses implements Startable {
  readonly #components: OwnAddressesComponents
  #onMoved: () => void = () => {}
  #timer: NodeJS.Timeout | undefined
  #all: ReadonlySet<string> = new Set()
  #announced = ''

  constructor (components: OwnAddressesComponents) {
    this.#components = components
  }

  /** All that this site listens on, announced or not. */
  get listening (): Multiaddr[] {
    return this.#components.transportManager.getAddrs()
  }

  /** `listener` is told when an address that was there is gone: connections from it lead nowhere any more. */
  onMoved (listener: () => void): void {
    this.#onMoved = listener
  }

  start (): void {}

  afterStart (): void {
    this.#look()
    this.#timer = setInterval(() => { this.#look() }, LOOK_MS)
  }

  stop (): void {
    clearInterval(this.#timer)
  }

  #look (): void {
    const { addressManager, peerStore, peerId } = this.#components
    const before = this.#all
    this.#all = new Set(this.listening.map(String))
    for (const address of this.listening) {
      if (!before.has(address.toString())) addressManager.confirmObservedAddr(address, { type: 'transport', ttl: VALID_MS })
    }
    const multiaddrs = addressManager.getAddresses().map((each) => each.decapsulate('/p2p'))
    const announced = multiaddrs.map(String).sort().join()
    if (announced !== this.#announced) {
      this.#announced = announced
      peerStore.patch(peerId, { multiaddrs }).catch(() => { /* said again at the next change */ })
    }
    if ([...before].some((each) => !this.#all.has(each))) this.#onMoved()
  }
}
