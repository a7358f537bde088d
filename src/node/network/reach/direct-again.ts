import { setMaxListeners } from 'node:events'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { DialSchedule } from '../dial-schedule.ts'
import { isRelayed } from './announceable.ts'
import { withPeer } from './dial-rules.ts'
import { isDirect } from './relay-keeper.ts'

type Host = Pick<Libp2p, 'getConnections' | 'dial' | 'peerStore'>

const LOOK_MS = 2_000
const DIAL_MS = 15_000
const PAUSES = { firstMs: 5_000, lastMs: 600_000 }
// What runs on the relayed connection may end there.
const GRACE_MS = 60_000

/**
 * Two that met through a relay try to do without: the one that can reach the other dials it, though the other cannot. Then the relayed
 * connection ends.
 */
export class DirectAgain {
  readonly #host: Host
  readonly #schedules = new Map<string, DialSchedule>()
  readonly #directSince = new Map<string, number>()
  readonly #stop = new AbortController()
  readonly #graceMs: number
  #timer: NodeJS.Timeout | undefined

  constructor (host: Host, { graceMs = GRACE_MS } = {}) {
    this.#host = host
    this.#graceMs = graceMs
    setMaxListeners(Infinity, this.#stop.signal)
  }

  start (): void {
    this.#timer = setInterval(() => { this.#look() }, LOOK_MS)
  }

  stop (): void {
    this.#stop.abort()
    clearInterval(this.#timer)
  }

  #look (): void {
    const relayed = this.#host.getConnections().filter(({ remoteAddr, status }) => status === 'open' && isRelayed(remoteAddr))
    for (const connection of relayed) {
      const id = connection.remotePeer.toString()
      if (this.#host.getConnections(connection.remotePeer).some(isDirect)) {
        const since = this.#directSince.get(id) ?? Date.now()
        this.#directSince.set(id, since)
        if (Date.now() - since > this.#graceMs) connection.close().catch(() => { /* gone by itself */ })
        continue
      }
      this.#directSince.delete(id)
      this.#try(connection.remotePeer)
    }
  }

  #try (peer: PeerId): void {
    const id = peer.toString()
    const now = Date.now()
    const schedule = this.#schedules.get(id) ?? new DialSchedule(PAUSES)
    this.#schedules.set(id, schedule)
    if (!schedule.isDue(now)) return
    schedule.failed(now)
    this.#dial(peer).then(() => { schedule.succeeded() }, () => { /* the relay stays */ })
  }

  async #dial (peer: PeerId): Promise<void> {
    const { addresses } = await this.#host.peerStore.get(peer)
    const direct = addresses.map(({ multiaddr }) => withPeer(multiaddr, peer)).filter((each) => !isRelayed(each))
    if (direct.length === 0) throw new Error('it has no address of its own')
    await this.#host.dial(direct, { signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(DIAL_MS)]) })
  }
}
