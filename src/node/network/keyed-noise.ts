import { createHash } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, MessageStream, MultiaddrConnection, SecureConnectionOptions, SecuredConnection } from '@libp2p/interface'
import { hostOf } from './limits/connection-limits.ts'

type NoiseComponents = Parameters<ReturnType<typeof noise>>[0]
type Encrypter = ConnectionEncrypter
export type EncrypterFactory = (components: NoiseComponents) => Encrypter
export type WrapEncrypter = (encrypter: Encrypter) => Encrypter

export interface FailedHandshake {
  readonly direction: 'inbound' | 'outbound'
  /** Peer id where the dialled address named one, else the remote host. */
  readonly peer: string
}

export interface KeyedNoiseInit {
  readonly federationId: string
  /** 32 bytes. */
  readonly networkKey: Uint8Array
  readonly onRefused: (refusal: FailedHandshake) => void
  readonly tap?: WrapEncrypter | undefined
}

/** Any libp2p node offers this name: who gets no further than to it has none of this site's keys. */
const KEYLESS = '/noise'

/** Noise that only holders of a network key get through; every failed handshake is told to `onRefused`. */
export function keyedNoise (init: KeyedNoiseInit): KeyedNoise {
  return new KeyedNoise(init)
}

/** One encrypter per network key, under a name that tells which key it is, so that two sites agree on one that both have. */
export class KeyedNoise {
  readonly #init: KeyedNoiseInit
  #keys: readonly Uint8Array[]
  #components: NoiseComponents | undefined
  #wrap: WrapEncrypter = (encrypter) => encrypter

  constructor (init: KeyedNoiseInit) {
    this.#init = init
    this.#keys = [init.networkKey]
  }

  /** What a host starts with. `wrap` is also put around the encrypters of later keys. */
  factories (wrap: WrapEncrypter): EncrypterFactory[] {
    this.#wrap = wrap
    return [...this.#keys.map((key): EncrypterFactory => (components) => {
      this.#components = components
      return this.#encrypter(components, key)
    }), () => this.#keyless()]
  }

  /** From now on these keys count, newest first, also in a host that runs. Open connections stay. */
  use (keys: readonly Uint8Array[]): void {
    this.#keys = keys
    const components = this.#components
    if (components == null) return
    const encrypters = components.upgrader.getConnectionEncrypters() as Map<string, Encrypter>
    const before = new Map(encrypters)
    // A map offers its keys in the order in which they came.
    encrypters.clear()
    for (const key of keys) {
      const name = protocolName(noisePrologue(this.#init.federationId, key))
      encrypters.set(name, before.get(name) ?? this.#encrypter(components, key))
    }
    encrypters.set(KEYLESS, before.get(KEYLESS) ?? this.#keyless())
  }

  #encrypter (components: NoiseComponents, key: Uint8Array): Encrypter {
    const { federationId, onRefused, tap = (encrypter) => encrypter } = this.#init
    const prologueBytes = noisePrologue(federationId, key)
    return this.#wrap(tap(new ReportingEncrypter(noise({ prologueBytes })(components), protocolName(prologueBytes), onRefused)))
  }

  #keyless (): Encrypter {
    return this.#wrap(new KeylessEncrypter(this.#init.onRefused))
  }
}

/** SHA-256("consilium" ‖ federation id ‖ network key), docs/spec/network.md#network-key. */
function noisePrologue (federationId: string, networkKey: Uint8Array): Uint8Array {
  return createHash('sha256').update('consilium').update(Buffer.from(federationId, 'hex')).update(networkKey).digest()
}

/** Carries the key's short hash. */
function protocolName (prologue: Uint8Array): string {
  return `${KEYLESS}/${createHash('sha256').update(prologue).digest('hex').slice(0, 8)}`
}

class ReportingEncrypter implements ConnectionEncrypter {
  readonly #inner: Encrypter
  readonly #onRefused: (refusal: FailedHandshake) => void
  readonly protocol: string

  constructor (inner: Encrypter, protocol: string, onRefused: (refusal: FailedHandshake) => void) {
    this.#inner = inner
    this.#onRefused = onRefused
    this.protocol = protocol
  }

  async secureOutbound (connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return await this.#report('outbound', connection, options, this.#inner.secureOutbound(connection, options))
  }

  async secureInbound (connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return await this.#report('inbound', connection, options, this.#inner.secureInbound(connection, options))
  }

  async #report (
    direction: FailedHandshake['direction'],
    connection: MessageStream,
    options: SecureConnectionOptions | undefined,
    secured: Promise<SecuredConnection>
  ): Promise<SecuredConnection> {
    try {
      return await secured
    } catch (error) {
      if (options?.signal?.aborted !== true) this.#onRefused(refusalOf(direction, connection, options))
      throw error
    }
  }
}

/** What is left to agree on where two sites have no key in common: it refuses on both sides, so that both can say why. */
class KeylessEncrypter implements ConnectionEncrypter {
  readonly #onRefused: (refusal: FailedHandshake) => void
  readonly protocol = KEYLESS

  constructor (onRefused: (refusal: FailedHandshake) => void) {
    this.#onRefused = onRefused
  }

  async secureOutbound (connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return await this.#refuse('outbound', connection, options)
  }

  async secureInbound (connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return await this.#refuse('inbound', connection, options)
  }

  async #refuse (direction: FailedHandshake['direction'], connection: MessageStream, options?: SecureConnectionOptions): Promise<never> {
    this.#onRefused(refusalOf(direction, connection, options))
    return await Promise.reject(new Error('no network key in common'))
  }
}

function refusalOf (
  direction: FailedHandshake['direction'],
  connection: MessageStream,
  options?: SecureConnectionOptions
): FailedHandshake {
  return { direction, peer: options?.remotePeer?.toString() ?? remoteHost(connection) }
}

function remoteHost (connection: MessageStream): string {
  return 'remoteAddr' in connection ? hostOf(connection as MultiaddrConnection) : 'an unknown address'
}
