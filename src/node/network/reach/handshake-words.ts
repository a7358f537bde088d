import type { FailedHandshake, HandshakeCause } from '../keyed-noise.ts'

type Words = Record<HandshakeCause, (peer: string) => string>

const OUTBOUND: Words = {
  KEY: (peer) => `site ${peer} refused the handshake: this site's network key or federation.json is not the same as theirs`,
  IDENTITY: (peer) => `at an address of site ${peer} another site answers: the address has changed hands, others are tried`,
  SELF: (peer) => `an address of site ${peer} leads to this site itself: it is not dialled again for now, others are tried`,
  GARBLED: (peer) => `what came from the address of site ${peer} was changed on the way, or is no handshake: look for a device between`,
  LINE: (peer) => `the line to site ${peer} ended in the middle of the handshake: it is tried again`
}

const INBOUND: Words = {
  KEY: (host) => `a connection from ${host} was refused in the handshake: it has no or another network key or federation.json`,
  IDENTITY: (host) => `a connection from ${host} ended: another site was expected there`,
  SELF: (host) => `a connection from ${host} ended: it was this site's own`,
  GARBLED: (host) => `what came from ${host} was changed on the way, or is no handshake: look for a device between`,
  LINE: (host) => `a connection from ${host} ended in the middle of the handshake`
}

/** Only these say something about who may belong: they are warned of and stand in the ledger. */
const REFUSALS = new Set<HandshakeCause>(['KEY', 'GARBLED'])

export function isRefusal ({ cause }: Pick<FailedHandshake, 'cause'>): boolean {
  return REFUSALS.has(cause)
}

/** One plain sentence for the cause that it was. */
export function handshakeSentence ({ direction, cause, peer }: FailedHandshake): string {
  return (direction === 'outbound' ? OUTBOUND : INBOUND)[cause](peer)
}
