import { RefusedError } from '../../../errors.ts'
import type { AdapterExchange } from '../../../protocol/adapter-exchange/index.ts'
import type { Announce } from '../../../protocol/announce/index.ts'
import type { PublicationService } from '../../../protocol/publication/publication.ts'
import { OFFENCE, type PeerLimits } from './peer-limits.ts'

/** Counts what peers do wrong in exchanges. */
export function countExchangeOffences (service: Pick<AdapterExchange, 'addEventListener'>, limits: PeerLimits): void {
  service.addEventListener('failure', ({ detail: { partner, role, reason, error } }) => {
    if (reason === 'ProtocolError') limits.offence(partner, OFFENCE.malformed, `breaks the exchange protocol (${error.message})`)
    else if (reason === 'TimeoutError' && role === 'responder') {
      limits.offence(partner, OFFENCE.stalled, 'begins exchanges and lets them stall')
    }
  })
  service.addEventListener('refusal', ({ detail: { partner, reason } }) => {
    if (reason === 'RATE_LIMITED') limits.offence(partner, OFFENCE.tooMany, 'offers exchanges without end')
  })
}

/** Counts announcements that no honest site sends or passes on. */
export function countAnnouncementOffences (announce: Pick<Announce, 'addEventListener'>, limits: PeerLimits): void {
  announce.addEventListener('dropped', ({ detail: { peerId, reason, rejected } }) => {
    if (rejected) limits.offence(peerId.toString(), OFFENCE.malformed, `sends malformed announcements (${reason})`)
    else if (reason === 'too many') limits.offence(peerId.toString(), OFFENCE.tooMany, 'announces without end')
  })
}

/** Counts what peers do wrong where publications are shown. */
export function countPublicationOffences (service: Pick<PublicationService, 'addEventListener'>, limits: PeerLimits): void {
  service.addEventListener('failure', ({ detail: { partner, error } }) => {
    if (error.name === 'ProtocolError') limits.offence(partner, OFFENCE.malformed, `breaks the protocol of publications (${error.message})`)
    else if (error instanceof RefusedError && error.reason === 'RATE_LIMITED') {
      limits.offence(partner, OFFENCE.tooMany, 'asks for publications without end')
    }
  })
}
