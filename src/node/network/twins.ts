import { setMaxListeners } from 'node:events'
import type { Connection } from '@libp2p/interface'
import { answers } from './reach/stale-connections.ts'

// An answer may stand behind a whole adapter on a slow line.
const PATIENCE_MS = 20_000

export interface TwinsInit {
  /** Tells whoever is at the other end what the other process drew. */
  readonly tell: (connection: Connection, instance: number) => Promise<void>
  /** Two processes at the same time have this peer's key. */
  readonly onTwin: (peer: string) => void
}

/**
 * Whether a peer is two processes: a copied home. Gossipsub keeps one stream per peer id, so that announcements of the two displace each
 * other; but each process has a connection of its own, on which it said what it drew at its start. Connections of a process that is gone
 * may still look open: both have to echo what was asked when both were there.
 */
export class Twins {
  readonly #init: TwinsInit
  readonly #patienceMs: number
  /** By peer id; of connections that were greeted and are open. */
  readonly #met = new Map<string, Map<Connection, number>>()
  readonly #asked = new Set<string>()
  readonly #stop = new AbortController()

  constructor (init: TwinsInit, patienceMs = PATIENCE_MS) {
    this.#init = init
    this.#patienceMs = patienceMs
    setMaxListeners(Infinity, this.#stop.signal)
  }

  /** `instance` is what the process at the other end drew at its start, 0 if it does not say. */
  met (connection: Connection, instance: number): void {
    if (instance === 0 || connection.status !== 'open') return
    const peer = connection.remotePeer.toString()
    const met = this.#met.get(peer) ?? new Map<Connection, number>()
    this.#met.set(peer, met.set(connection, instance))
    this.#ask(peer)
  }

  /** As long as they run, they are told of again. */
  review (): void {
    for (const peer of this.#met.keys()) this.#ask(peer)
  }

  stop (): void {
    this.#stop.abort()
  }

  #ask (peer: string): void {
    const [one, two] = this.#newest(peer)
    if (one == null || two == null || this.#asked.has(peer) || this.#stop.signal.aborted) return
    this.#asked.add(peer)
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#patienceMs)])
    Promise.all([one, two].map(async ([connection]) => { await answers(connection, signal) })).then(async () => {
      this.#init.onTwin(peer)
      await Promise.allSettled([this.#init.tell(one[0], two[1]), this.#init.tell(two[0], one[1])])
    }).catch(() => { /* one of them is gone */ }).finally(() => { this.#asked.delete(peer) })
  }

  /** Of the two that came last, the last connection of each. */
  #newest (peer: string): [Connection, number][] {
    const met = this.#met.get(peer) ?? new Map<Connection, number>()
    for (const connection of met.keys()) if (connection.status !== 'open') met.delete(connection)
    if (met.size === 0) this.#met.delete(peer)
    const byInstance = new Map([...met].map(([connection, instance]) => [instance, connection]))
    return [...byInstance].slice(-2).map(([instance, connection]) => [connection, instance])
  }
}
