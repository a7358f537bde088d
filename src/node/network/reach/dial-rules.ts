import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { isNear, isRelayed, socketOf } from './announceable.ts'

type Host = Pick<Libp2p, 'peerId' | 'peerStore'>

/** Which addresses a site does not dial: its own, and another's loopback where that one has addresses that mean it everywhere. */
export class DialRules {
  readonly #given: ReadonlySet<string>
  readonly #listening: () => readonly Multiaddr[]
  #host: Host | undefined

  /** `given`: addresses that a person named. `listening`: all that this site listens on, announced or not. */
  constructor (given: readonly string[], listening: () => readonly Multiaddr[]) {
    this.#given = new Set(given.map((each) => socketOf(multiaddr(each))))
    this.#listening = listening
  }

  attach (host: Host): void {
    this.#host = host
  }

  readonly deniesDial = async (address: Multiaddr): Promise<boolean> => {
    const host = this.#host
    if (host == null) return false
    if (isRelayed(address)) return address.toString().includes(`/p2p/${host.peerId.toString()}/p2p-circuit`)
    if (this.isOwn(address)) return true
    const peer = peerIn(address)
    if (peer == null || !isNear(address) || this.#given.has(socketOf(address))) return false
    const { addresses } = await host.peerStore.get(peer).catch(() => ({ addresses: [] }))
    return addresses.some((each) => !isNear(each.multiaddr))
  }

  isOwn (address: Multiaddr): boolean {
    return this.#listening().some((own) => socketOf(own) === socketOf(address))
  }
}

/** The same address, where this peer is to be. */
export function withPeer (address: Multiaddr, peer: PeerId): Multiaddr {
  return peerIn(address)?.equals(peer) === true ? address : address.encapsulate(`/p2p/${peer.toString()}`)
}

/** Who is to be there, as the address says. */
export function peerIn (address: Multiaddr): PeerId | undefined {
  const id = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
  return id == null ? undefined : peerIdFromString(id)
}
