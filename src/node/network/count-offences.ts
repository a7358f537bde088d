import type { AdapterExchange } from '../../protocol/adapter-exchange/index.ts'
import type { Announce } from '../../protocol/announce/index.ts'
import { OFFENCE, type Guard } from './peer-limits.ts'

/** Counts what peers do wrong in exchanges. */
export function watchExchanges (service: Pick<AdapterExchange, 'addEventListener'>, guard: Guard): void {
  service.addEventListener('failure', ({ detail: { partner, role, reason, error } }) => {
    if (reason === 'ProtocolError') guard.offence(partner, OFFENCE.malformed, `breaks the exchange protocol (${error.message})`)
    else if (reason === 'TimeoutError' && role === 'responder') {
      guard.offence(partner, OFFENCE.stalled, 'begins exchanges and lets them stall')
    }
  })
  service.addEventListener('refusal', ({ detail: { partner, reason } }) => {
    if (reason === 'RATE_LIMITED') guard.offence(partner, OFFENCE.tooMany, 'offers exchanges without end')
  })
}

/** Counts announcements that no honest site sends or passes on. */
export function watchAnnouncements (announce: Pick<Announce, 'addEventListener'>, guard: Guard): void {
  announce.addEventListener('dropped', ({ detail: { peerId, reason, rejected } }) => {
    if (rejected) guard.offence(peerId.toString(), OFFENCE.malformed, `sends malformed announcements (${reason})`)
    else if (reason === 'too many') guard.offence(peerId.toString(), OFFENCE.tooMany, 'announces without end')
  })
}
