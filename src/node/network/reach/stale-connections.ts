import { setMaxListeners } from 'node:events'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { messageOf } from '../../../common/message-of.ts'
import { unlessAborted } from '../../../common/unless-aborted.ts'
import { UnreachableError } from '../../../errors.ts'
import type { Logger } from '../../../rounds/logger.ts'

type Host = Pick<Libp2p, 'getConnections' | 'addEventListener' | 'removeEventListener'>

const PING = '/ipfs/ping/1.0.0'
const PING_BYTES = 32
// An answer may stand behind a whole adapter on a slow line.
const PATIENCE_MS = 20_000

/**
 * Ends connections that lead nowhere any more. After an address has changed, a heartbeat takes more than a minute to notice, and streams go
 * on being opened on the old connection beside a new one.
 */
export class StaleConnections {
  readonly #host: Host
  readonly #logger: Logger
  readonly #patienceMs: number
  readonly #asked = new WeakSet<Connection>()
  readonly #stop = new AbortController()

  constructor (host: Host, logger: Logger, patienceMs = PATIENCE_MS) {
    this.#host = host
    this.#logger = logger
    this.#patienceMs = patienceMs
    setMaxListeners(Infinity, this.#stop.signal)
  }

  start (): void {
    this.#host.addEventListener('connection:open', this.#onOpen)
  }

  stop (): void {
    this.#stop.abort()
    this.#host.removeEventListener('connection:open', this.#onOpen)
  }

  /** Asks every connection for a sign of life: this site has another address than before. */
  readonly askAll = (): void => {
    for (const connection of this.#host.getConnections()) this.#ask(connection)
  }

  /** Whoever comes anew may have lost what was there before. */
  readonly #onOpen = ({ detail: { id, remotePeer } }: CustomEvent<Connection>): void => {
    for (const connection of this.#host.getConnections(remotePeer)) if (connection.id !== id) this.#ask(connection)
  }

  #ask (connection: Connection): void {
    if (this.#asked.has(connection) || connection.status !== 'open') return
    this.#asked.add(connection)
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#patienceMs)])
    answers(connection, signal).catch((error: unknown) => {
      if (this.#stop.signal.aborted || connection.status !== 'open') return
      const peer = connection.remotePeer.toString()
      this.#logger.info({ peer, reason: messageOf(error) }, 'a connection leads nowhere any more: it ends')
      connection.abort(new Error('no sign of life'))
    }).finally(() => { this.#asked.delete(connection) })
  }
}

/** Resolves when the other side echoed something on this very connection; rejects where it does not. */
export async function answers (connection: Connection, signal: AbortSignal): Promise<void> {
  const stream = await connection.newStream(PING, { signal, runOnLimitedConnection: true })
  try {
    stream.send(new Uint8Array(PING_BYTES))
    await unlessAborted(anyMessage(stream), signal)
    await stream.close({ signal })
  } catch (error) {
    stream.abort(error as Error)
    throw error
  }
}

/** Rejects when the stream ends before one comes. */
async function anyMessage (stream: Stream): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.addEventListener('message', () => { resolve() }, { once: true })
    stream.addEventListener('close', () => { reject(new UnreachableError('the connection ended')) }, { once: true })
  })
}
