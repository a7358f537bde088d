import type { PrivateKey } from '@libp2p/interface'
import { LRUCache } from 'lru-cache'
import { ProtocolError } from '../../errors.ts'
import { writeCheckedJson } from '../../home/checksum.ts'
import type { SitePaths } from '../../home/paths.ts'
import { quorumOf, type Federation } from '../document.ts'
import { canonicalBytes, isSigned, parseBytes } from '../signed.ts'
import { bodyOf, certificate, credential, type Certificate, type Credential, type CredentialCheck } from './certificate.ts'
import type { MembershipEvent } from './events.ts'
import { readCredential } from './files.ts'
import { endOf, follows, renewed } from './renewal.ts'

/** Certificates whose next one this site remembers, so that it is signed and told once. */
const MOST_SIGNED = 1_024

interface RenewalsInit {
  readonly paths: Pick<SitePaths, 'certificate'>
  readonly key: PrivateKey
  readonly peerId: string
  readonly onEvent: (event: MembershipEvent) => void
  readonly now?: () => number
  /** Its people want to decide each time. */
  readonly renewsNothing?: boolean
}

interface Current {
  readonly federation: () => Federation
  readonly credential: () => Credential
  readonly verify: (peer: string, shown: Credential) => Promise<CredentialCheck>
  /** Somebody who may has signed that one of these keys is to go. */
  readonly isDoubted: (peers: readonly string[]) => boolean
  readonly onRenewed: (shown: Credential) => void
}

/** Certificates of others that this site renews, and its own that others do (docs/membership.md#renewing). */
export class Renewals {
  readonly #init: RenewalsInit
  readonly #current: Current
  readonly #signed = new LRUCache<string, Uint8Array>({ max: MOST_SIGNED })
  /** What follows on this site's own, with the signatures that came so far. */
  #draft: Certificate | undefined

  constructor (init: RenewalsInit, current: Current) {
    this.#init = init
    this.#current = current
  }

  /**
   * What follows on the certificate that a peer showed, canonical JSON, the same each time; undefined where none is due, or others have to
   * sign it. A founder needs none: of what it shows nothing is believed, and nothing signed.
   */
  async forPeer (peer: string, bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const { key, peerId, renewsNothing, onEvent, now = Date.now } = this.#init
    const { data: shown } = credential.safeParse(parseBytes(bytes))
    const { founders } = this.#current.federation().document
    if (renewsNothing === true || shown?.certificate == null || founders.includes(peer)) return undefined
    const { certificate: old, handovers } = shown
    if (this.#current.isDoubted([old.peerId, ...handovers.map(({ to }) => to)])) return undefined
    if ('fault' in await this.#current.verify(peer, shown)) return undefined
    const next = await renewed(old, { founders, key, peerId, credential: this.#current.credential(), now: now() })
    if (next == null) return undefined
    const what = `${next.peerId} ${next.to} ${endOf(next)}`
    const known = this.#signed.get(what)
    if (known != null) return known
    const signed = canonicalBytes(next)
    this.#signed.set(what, signed)
    onEvent({ kind: 'membership', event: 'renewal signed', peer, detail: `until ${next.to}` })
    return signed
  }

  /**
   * Takes in what `sender` signed of this site's next certificate. One that does not follow on the present one came late, and one of
   * somebody who may not sign it is nothing. @throws ProtocolError for a certificate that is none, or that the sender did not sign
   */
  async learn (sender: string, bytes: Uint8Array): Promise<void> {
    const { data } = certificate.safeParse(parseBytes(bytes))
    if (data == null) throw new ProtocolError('a renewed certificate that is none')
    const own = data.signatures.find(({ peerId }) => peerId === sender)
    if (own == null || !await isSigned(bodyOf(data), own)) throw new ProtocolError('a renewed certificate that its sender did not sign')
    const { certificate: old } = this.#current.credential()
    const { founders } = this.#current.federation().document
    if (old == null || founders.includes(this.#init.peerId) || !follows(data, old)) return
    if (data.issuer == null ? !founders.includes(sender) : data.issuer.peerId !== sender) return
    const isSame = data.issuer == null && this.#draft != null && isEqual(bodyOf(this.#draft), bodyOf(data))
    const before = isSame ? this.#draft!.signatures.filter(({ peerId }) => peerId !== sender) : []
    this.#draft = { ...data, signatures: [...before, own] }
    await this.tend()
  }

  /** What came holds from now on, once as many founders of now have signed it as the quorum says, and by this site's clock. */
  async tend (): Promise<void> {
    if (this.#draft == null) return
    const { certificate: old, handovers } = this.#current.credential()
    const { founders } = this.#current.federation().document
    const draft = this.#draft.issuer == null
      ? { ...this.#draft, signatures: this.#draft.signatures.filter(({ peerId }) => founders.includes(peerId)) }
      : this.#draft
    if (old == null || !follows(draft, old)) this.#draft = undefined
    else if (draft.issuer != null || draft.signatures.length >= quorumOf(this.#current.federation().document)) {
      await this.#use({ certificate: draft, handovers })
    }
  }

  async #use (shown: Credential & { readonly certificate: Certificate }): Promise<void> {
    const { paths, peerId, onEvent } = this.#init
    if ('fault' in await this.#current.verify(peerId, shown)) return
    // "join" may have brought another one meanwhile.
    if (!isEqual(await readCredential(paths.certificate), this.#current.credential())) return
    await writeCheckedJson(paths.certificate, shown)
    this.#draft = undefined
    this.#current.onRenewed(shown)
    onEvent({ kind: 'membership', event: 'renewed', peer: peerId, detail: `until ${shown.certificate.to}` })
  }
}

function isEqual (one: object, other: object): boolean {
  return Buffer.from(canonicalBytes(one)).equals(canonicalBytes(other))
}
