import { createCipheriv, createHash, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto'
import { ProtocolError } from '../errors.ts'

const INFO = 'consilium/mask/1'
const KEY_BYTES = 32
const NO_COUNTER = Buffer.alloc(16)

/**
 * What one site's part in one masked group hangs on (docs/spec/gossip.md#masked-groups): an X25519 key that lives as long as this
 * object, and with each other member a stream of AES-256-CTR that both can make and nobody else.
 */
class GroupSecrets {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly #key: KeyObject
  readonly #groupId: string

  /** `groupId`: 32 hex digits. */
  constructor (groupId: string) {
    const { publicKey, privateKey } = generateKeyPairSync('x25519')
    this.publicKey = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')
    this.#key = privateKey
    this.#groupId = groupId
  }

  /** The next bytes of the mask that is shared with whoever has this key. @throws ProtocolError for a key that is none */
  stream (theirKey: Uint8Array): (bytes: number) => Uint8Array {
    const cipher = createCipheriv('aes-256-ctr', this.#shared(theirKey), NO_COUNTER)
    return (bytes) => cipher.update(Buffer.alloc(bytes))
  }

  #shared (theirKey: Uint8Array): Uint8Array {
    try {
      const x = Buffer.from(theirKey).toString('base64url')
      const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })
      const secret = diffieHellman({ privateKey: this.#key, publicKey })
      return new Uint8Array(hkdfSync('sha256', secret, Buffer.from(this.#groupId, 'hex'), INFO, KEY_BYTES))
    } catch {
      throw new ProtocolError('a member of the group stated a key that is none')
    }
  }
}

/** All that one member needs for one group. */
export function cryptoOf (groupId: string): {
  readonly publicKey: Uint8Array
  readonly stream: GroupSecrets['stream']
  readonly digest: typeof groupDigest
} {
  const secrets = new GroupSecrets(groupId)
  return { publicKey: secrets.publicKey, stream: (theirKey) => secrets.stream(theirKey), digest: groupDigest }
}

/** SHA-256 of bytes that come one after the other. */
function groupDigest (): { update (bytes: Uint8Array): void, hex (): string } {
  const hash = createHash('sha256')
  return { update: (bytes) => { hash.update(bytes) }, hex: () => hash.digest('hex') }
}
