import type { CredentialReason } from '../../protocol/membership/index.ts'

const THEIRS: Record<CredentialReason, string> = {
  NONE: 'it showed no certificate: if it belongs to the federation, invite it',
  MALFORMED: 'what it sent is no certificate, or breaks the membership protocol',
  WRONG_FEDERATION: 'its certificate is of another federation',
  WRONG_SIGNER: 'its certificate is not signed by those who may admit sites',
  OTHER_PEER: 'its certificate names another site',
  REVOKED: 'its certificate was revoked, or handed over to another key',
  NOT_YET_VALID: 'its certificate is not valid yet: compare the clocks of both sites',
  EXPIRED: 'its certificate has expired: it needs a new invitation',
  LATE: 'it did not show a valid certificate in time: the line is slow, or it has none'
}

const OURS: Record<CredentialReason, (peerId: string) => string> = {
  NONE: (peerId) => `this site has no certificate: ask a founder or inviter to invite ${peerId} and join`,
  MALFORMED: () => 'this site\'s certificate could not be read there: join again with your invitation',
  WRONG_FEDERATION: () => 'this site\'s certificate is of another federation: join with an invitation to this one',
  WRONG_SIGNER: () => 'this site\'s certificate is not signed by those who may admit sites: ask a founder for a new invitation',
  OTHER_PEER: (peerId) => `this site's certificate names another site: ask a founder or inviter to invite ${peerId} and join`,
  REVOKED: () => 'this site\'s certificate was revoked: ask the founders why',
  NOT_YET_VALID: () => 'this site\'s certificate is not valid yet: check the clock of this machine',
  EXPIRED: (peerId) => `this site's certificate has expired: ask a founder or inviter to invite ${peerId} again and join`,
  LATE: () => 'the certificates were not exchanged in time: the line is slow, or the other site waits for others'
}

/** Why another site was refused here. */
export function sentenceOf (reason: CredentialReason, peer: string): string {
  return `site ${peer} was refused: ${THEIRS[reason]}`
}

/** Why a second key for a certificate that `holder` holds was refused. */
export function branchSentenceOf (peer: string, holder: string): string {
  return `site ${peer} was refused: its certificate has been handed over to ${holder} already, and one site may hold it at a time; ` +
    'ask the people there which of the two is theirs, and revoke it if neither is'
}

/** Why this site is refused, and what to do. */
export function ownSentenceOf (reason: CredentialReason, peerId: string): string {
  return OURS[reason](peerId)
}
