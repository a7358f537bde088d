import type { AbortOptions, Connection, PeerId } from '@libp2p/interface'
import { ProtocolError, UnreachableError } from '../../errors.ts'

interface Entry {
  readonly connection: Connection
  /** The other's credential is good: its streams are taken. */
  admitted: boolean
  /** And it said that this site's is: streams may be opened. */
  established: boolean
  /** Empty until it was admitted. */
  credential: Uint8Array
  readonly settled: PromiseWithResolvers<void>
}

/** Who, of all that are connected, is certified: asked by the gate, told by the membership protocol. */
export class Admissions {
  readonly #entries = new Map<string, Entry>()

  open (connection: Connection): void {
    const settled = Promise.withResolvers<void>()
    settled.promise.catch(() => { /* nobody may be waiting */ })
    this.#entries.set(connection.id, { connection, admitted: false, established: false, credential: new Uint8Array(), settled })
  }

  /** Returns true when it was the last established connection of its peer. */
  close ({ id, remotePeer }: Connection): boolean {
    const entry = this.#entries.get(id)
    if (entry == null) return false
    this.#entries.delete(id)
    entry.settled.reject(new UnreachableError('the connection ended'))
    return entry.established && !this.isEstablished(remotePeer)
  }

  admit ({ id }: Connection, credential: Uint8Array): void {
    const entry = this.#entries.get(id)
    if (entry != null) Object.assign(entry, { admitted: true, credential })
  }

  /** Returns true when it is the first established connection of its peer. */
  establish ({ id, remotePeer }: Connection): boolean {
    const entry = this.#entries.get(id)
    if (entry == null || !entry.admitted) return false
    const first = !this.isEstablished(remotePeer)
    entry.established = true
    entry.settled.resolve()
    return first
  }

  /** Nothing is taken from this connection any more. */
  withdraw ({ id }: Connection): void {
    const entry = this.#entries.get(id)
    if (entry == null) return
    entry.admitted = false
    entry.settled.reject(new ProtocolError('the peer has no valid certificate'))
  }

  /** Whether this peer, on whatever connection, has shown a good credential. */
  admits (peer: PeerId): boolean {
    return this.#of(peer).some(({ admitted }) => admitted)
  }

  isEstablished (peer: PeerId): boolean {
    return this.#of(peer).some(({ admitted, established }) => admitted && established)
  }

  /** Both sides accepted each other on this very connection, and do so still. */
  isOpen ({ id }: Connection): boolean {
    const entry = this.#entries.get(id)
    return entry?.admitted === true && entry.established
  }

  /** What this very connection may do: speak, nothing any more, or nothing yet. */
  standingOf ({ id }: Connection): 'admitted' | 'withdrawn' | 'unknown' {
    const entry = this.#entries.get(id)
    if (entry == null || entry.credential.length === 0) return 'unknown'
    return entry.admitted ? 'admitted' : 'withdrawn'
  }

  /** Connections that were admitted, with what was shown on them. */
  get admitted (): readonly { readonly connection: Connection, readonly credential: Uint8Array }[] {
    return [...this.#entries.values()].filter((entry) => entry.admitted)
  }

  /** Resolves once both sides have accepted each other on this connection; rejects when that will not happen. */
  async whenEstablished ({ id }: Connection, { signal }: AbortOptions = {}): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry == null) throw new UnreachableError('the connection ended')
    signal?.throwIfAborted()
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => { aborted.reject(signal?.reason as Error) }
    signal?.addEventListener('abort', onAbort)
    try {
      await Promise.race([entry.settled.promise, aborted.promise])
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #of (peer: PeerId): Entry[] {
    return [...this.#entries.values()].filter(({ connection }) => connection.remotePeer.equals(peer))
  }
}
