import { createHash } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, MessageStream, MultiaddrConnection, SecureConnectionOptions, SecuredConnection } from '@libp2p/interface'
import { hostOf } from './gater.ts'

type NoiseFactory = ReturnType<typeof noise>
export type EncrypterFactory = (components: Parameters<NoiseFactory>[0]) => ConnectionEncrypter

export interface Refusal {
  readonly direction: 'inbound' | 'outbound'
  /** Peer id where the dialled address named one, else the remote host. */
  readonly peer: string
}

/** SHA-256("consilium" ‖ federation id ‖ network key), DESIGN §9. */
function noisePrologue (federationId: string, networkKey: Uint8Array): Uint8Array {
  return createHash('sha256').update('consilium').update(Buffer.from(federationId, 'hex')).update(networkKey).digest()
}

/** Noise that only holders of the network key get through; every failed handshake is told to `onRefused`. */
export function keyedNoise (init: { federationId: string, networkKey: Uint8Array, onRefused: (refusal: Refusal) => void }): EncrypterFactory {
  const inner = noise({ prologueBytes: noisePrologue(init.federationId, init.networkKey) })
  return (components) => new ReportingEncrypter(inner(components), init.onRefused)
}

class ReportingEncrypter implements ConnectionEncrypter {
  readonly #inner: ConnectionEncrypter
  readonly #onRefused: (refusal: Refusal) => void
  readonly protocol: string

  constructor (inner: ConnectionEncrypter, onRefused: (refusal: Refusal) => void) {
    this.#inner = inner
    this.#onRefused = onRefused
    this.protocol = inner.protocol
  }

  async secureOutbound (connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return await this.#report('outbound', connection, options, this.#inner.secureOutbound(connection, options))
  }

  async secureInbound (connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return await this.#report('inbound', connection, options, this.#inner.secureInbound(connection, options))
  }

  async #report (direction: Refusal['direction'], connection: MessageStream, options: SecureConnectionOptions | undefined, secured: Promise<SecuredConnection>): Promise<SecuredConnection> {
    try {
      return await secured
    } catch (error) {
      if (options?.signal?.aborted !== true) this.#onRefused({ direction, peer: options?.remotePeer?.toString() ?? remoteHost(connection) })
      throw error
    }
  }
}

function remoteHost (connection: MessageStream): string {
  return 'remoteAddr' in connection ? hostOf(connection as MultiaddrConnection) : 'an unknown address'
}
