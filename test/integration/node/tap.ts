import type { ConnectionEncrypter, MessageStream, SecureConnectionOptions, SecuredConnection } from '@libp2p/interface'

/** Records every byte that a host hands to its connection encrypter, before it is encrypted. */
export class Tap {
  readonly #chunks: Uint8Array[] = []
  /** Called before a chunk is recorded. */
  onWrite: (chunk: Uint8Array) => void = () => {}

  readonly wrap = (inner: ConnectionEncrypter): ConnectionEncrypter => ({
    protocol: inner.protocol,
    secureOutbound: async (connection: MessageStream, options?: SecureConnectionOptions) =>
      this.#watch(await inner.secureOutbound(connection, options)),
    secureInbound: async (connection: MessageStream, options?: SecureConnectionOptions) =>
      this.#watch(await inner.secureInbound(connection, options))
  })

  bytes (): Buffer {
    return Buffer.concat(this.#chunks)
  }

  #watch (secured: SecuredConnection): SecuredConnection {
    const { connection } = secured
    const send = connection.send.bind(connection)
    connection.send = (data) => {
      // A copy: the sender may use its buffer again.
      const chunk = data.subarray().slice()
      this.onWrite(chunk)
      this.#chunks.push(chunk)
      return send(data)
    }
    return secured
  }
}
