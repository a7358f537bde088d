import type { PrivateKey } from '@libp2p/interface'
import { InputError } from '../../errors.ts'
import type { Federation } from '../document.ts'
import { holderOf, issueHandover, MOST_HANDOVERS, nobodyAfter, type Credential } from './certificate.ts'
import { signRevocation, type Statement } from './statements.ts'

/** What a start says in a home whose site has left. */
export const LEFT = 'this site has left the federation, for good: what it has stays here for "consilium predict", "evaluate", "export" ' +
  'and "audit"; to take part again, make a new site with "consilium init" in another home and ask for an invitation'

/** A site's word that it is a member no more: a founder revokes itself, any other hands over to nobody. @throws InputError */
export async function signDeparture (
  { federation, key, peerId, credential: { certificate, handovers }, now }: {
    readonly federation: Federation
    readonly key: PrivateKey
    readonly peerId: string
    readonly credential: Credential
    /** Milliseconds since the epoch. */
    readonly now: number
  }
): Promise<Statement> {
  if (federation.document.founders.includes(peerId)) return await signRevocation(federation.id, peerId, key)
  if (certificate == null || holderOf(certificate, handovers) !== peerId) {
    throw new InputError('this site has no certificate of its own to give up: a founder can revoke it')
  }
  if (handovers.length >= MOST_HANDOVERS) {
    throw new InputError(`the certificate of this site has been handed over ${MOST_HANDOVERS} times and cannot be once more: ` +
      `ask a founder for "consilium revoke ${peerId}"`)
  }
  const at = new Date(now).toISOString()
  const last = await issueHandover({ federation: federation.id, to: nobodyAfter(federation.id, peerId), at }, key)
  return { version: 1, kind: 'succession', credential: { certificate, handovers: [...handovers, last] } }
}
