import type { PrivateKey } from '@libp2p/interface'
import { ProtocolError } from '../../errors.ts'
import { writeCheckedJson } from '../../home/checksum.ts'
import type { SitePaths } from '../../home/paths.ts'
import type { Federation } from '../document.ts'
import { canonicalBytes, isSigned, parseBytes } from '../signed.ts'
import { bodyOf, certificate, credential, type Certificate, type Credential } from './certificate.ts'
import type { MembershipEvent } from './events.ts'
import { follows, renewed } from './renewal.ts'

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
  readonly isOutcast: (peer: string) => boolean
  /** Whether this site could show it. */
  readonly holds: (shown: Credential) => Promise<boolean>
  readonly onRenewed: (shown: Credential) => void
}

/** Certificates of others that this site renews, and its own that others do (docs/membership.md#renewing). */
export class Renewals {
  readonly #init: RenewalsInit
  readonly #current: Current
  /** What follows on this site's own, with the signatures that came so far. */
  #draft: Certificate | undefined

  constructor (init: RenewalsInit, current: Current) {
    this.#init = init
    this.#current = current
  }

  /** What follows on the certificate that a peer showed, canonical JSON; undefined where none is due, or others have to sign it. */
  async forPeer (peer: string, shown: Uint8Array): Promise<Uint8Array | undefined> {
    const { key, peerId, renewsNothing, onEvent, now = Date.now } = this.#init
    const { certificate: old } = credential.safeParse(parseBytes(shown)).data ?? {}
    if (renewsNothing === true || old == null || this.#current.isOutcast(peer)) return undefined
    const [federation, own] = [this.#current.federation(), this.#current.credential()]
    const next = await renewed(old, { federation, key, peerId, credential: own, now: now() })
    if (next == null) return undefined
    onEvent({ kind: 'membership', event: 'renewal signed', peer, detail: `until ${next.to}` })
    return canonicalBytes(next)
  }

  /**
   * Takes in what `sender` signed of this site's next certificate; one that does not follow on the present one came late, and is nothing.
   * @throws ProtocolError for a certificate that is none, or that the sender did not sign
   */
  async learn (sender: string, bytes: Uint8Array): Promise<void> {
    const { data } = certificate.safeParse(parseBytes(bytes))
    if (data == null) throw new ProtocolError('a renewed certificate that is none')
    const own = data.signatures.find(({ peerId }) => peerId === sender)
    if (own == null || !await isSigned(bodyOf(data), own)) throw new ProtocolError('a renewed certificate that its sender did not sign')
    const { certificate: old, handovers } = this.#current.credential()
    if (old == null || !follows(data, old)) return
    const before = data.issuer == null && this.#draft?.to === data.to ? this.#draft.signatures : []
    this.#draft = { ...data, signatures: [...before.filter(({ peerId }) => peerId !== sender), own] }
    const shown = { certificate: this.#draft, handovers }
    // Further founders may have to sign it.
    if (!await this.#current.holds(shown)) return
    await writeCheckedJson(this.#init.paths.certificate, shown)
    this.#draft = undefined
    this.#current.onRenewed(shown)
    this.#init.onEvent({ kind: 'membership', event: 'renewed', peer: sender, detail: `until ${shown.certificate.to}` })
  }
}
