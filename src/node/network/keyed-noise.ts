import { createHash } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, MessageStream, MultiaddrConnection, SecureConnectionOptions, SecuredConnection } from '@libp2p/interface'
import { hostOf } from './limits/connection-limits.ts'

type NoiseComponents = Parameters<ReturnType<typeof noise>>[0]
type Encrypter = ConnectionEncrypter
export type EncrypterFactory = (components: NoiseComponents) => Encrypter
export type WrapEncrypter = (encrypter: Encrypter) => Encrypter

/**
 * Why a handshake failed: no network key in common; another site answers at that address; this site itself does; what came is not what
 * Noise sends; the line ended in its middle.
 */
export type HandshakeCause = 'KEY' | 'IDENTITY' | 'SELF' | 'GARBLED' | 'LINE'

export interface FailedHandshake {
  readonly direction: 'inbound' | 'outbound'
  readonly cause: HandshakeCause
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
    const isOwn = (message: string): boolean => message.includes(`identity key ${String(components.privateKey.publicKey)} does`)
    const inner = noise({ prologueBytes })(components)
    return this.#wrap(tap(new ReportingEncrypter({ inner, protocol: protocolName(prologueBytes), onRefused, isOwn })))
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

interface Reporting extends Pick<KeyedNoiseInit, 'onRefused'> {
  readonly inner: Encrypter
  readonly protocol: string
  /** Whether what Noise says of another identity names this site's. */
  readonly isOwn: (message: string) => boolean
}

class ReportingEncrypter implements ConnectionEncrypter {
  readonly #init: Reporting

  constructor (init: Reporting) {
    this.#init = init
  }

  get protocol (): string {
    return this.#init.protocol
  }

  async secureOutbound (connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return await this.#report('outbound', connection, options, this.#init.inner.secureOutbound(connection, options))
  }

  async secureInbound (connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return await this.#report('inbound', connection, options, this.#init.inner.secureInbound(connection, options))
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
      if (options?.signal?.aborted !== true) {
        this.#init.onRefused(refusalOf(direction, causeOf(error as Error, this.#init.isOwn), connection, options))
      }
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
    this.#onRefused(refusalOf(direction, 'KEY', connection, options))
    return await Promise.reject(new Error('no network key in common'))
  }
}

function causeOf (error: Error, isOwn: Reporting['isOwn']): HandshakeCause {
  const { name, message } = error
  if (name === 'UnexpectedPeerError' && message.includes('identity key')) return isOwn(message) ? 'SELF' : 'IDENTITY'
  return name === 'UnexpectedPeerError' || error instanceof RangeError || /crypto exchange|validation fail|decrypt/i.test(message)
    ? 'GARBLED'
    : 'LINE'
}

function refusalOf (
  direction: FailedHandshake['direction'],
  cause: HandshakeCause,
  connection: MessageStream,
  options?: SecureConnectionOptions
): FailedHandshake {
  return { direction, cause, peer: options?.remotePeer?.toString() ?? remoteHost(connection) }
}

function remoteHost (connection: MessageStream): string {
  return 'remoteAddr' in connection ? hostOf(connection as MultiaddrConnection) : 'an unknown address'
}
