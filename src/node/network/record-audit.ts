import type { Connection, TypedEventTarget } from '@libp2p/interface'
import { addressClass } from '../../audit/address-class.ts'
import type { Auditor } from '../../audit/auditor.ts'
import type { EntryContent, ExchangeContent } from '../../audit/entry.ts'
import type { GroupAverage } from '../../protocol/group-average/index.ts'
import type { AdapterExchange, ExchangeFailure, ExchangeReport } from '../../protocol/adapter-exchange/index.ts'

type Recorder = Pick<Auditor, 'record'>

interface Host extends TypedEventTarget<{ 'connection:open': CustomEvent<Connection>, 'connection:close': CustomEvent<Connection> }> {
  getConnections (): Connection[]
}

/** Every connection, from now on and those that are open already. */
export function recordConnections (host: Host, audit: Recorder): void {
  const write = (event: 'open' | 'close', { remotePeer, remoteAddr, direction }: Connection): void => {
    audit.record({ kind: 'connection', event, peer: remotePeer.toString(), direction, address: addressClass(remoteAddr) })
  }
  host.addEventListener('connection:open', ({ detail }) => { write('open', detail) })
  host.addEventListener('connection:close', ({ detail }) => { write('close', detail) })
  for (const connection of host.getConnections()) write('open', connection)
}

interface AveragerView {
  readonly round: number
  readonly schema: { readonly tensors: readonly unknown[] }
}

/** Every exchange and every offer that was declined. */
export function recordExchanges (service: AdapterExchange, averaging: AveragerView, audit: Recorder): void {
  const common = (): Pick<ExchangeContent, 'kind' | 'round' | 'tensors'> => ({
    kind: 'exchange',
    round: averaging.round,
    tensors: averaging.schema.tensors.length
  })
  service.addEventListener('exchange', ({ detail }) => {
    audit.record(committed(detail, averaging.schema.tensors.length))
  })
  service.addEventListener('failure', ({ detail }) => {
    audit.record(failure(detail, common()))
  })
  service.addEventListener('refusal', ({ detail: { partner, reason } }) => {
    audit.record({ kind: 'refusal', peer: partner, what: 'offer', reason })
  })
  service.addEventListener('settled', ({ detail: { exchangeId, partner, verdict } }) => {
    audit.record({ kind: 'settled', id: exchangeId, partner, outcome: verdict })
  })
}

/** Every group in which this site's part may have left. */
export function recordGroups (service: GroupAverage, averaging: AveragerView, audit: Recorder): void {
  const common = (): { kind: 'group', round: number, tensors: number } =>
    ({ kind: 'group', round: averaging.round, tensors: averaging.schema.tensors.length })
  service.addEventListener('group', ({ detail: { id, leader, members, steps, bytesSent, bytesReceived, sentDigest } }) => {
    audit.record({
      ...common(), id, leader, outcome: 'committed', members: [...members], steps, bytesSent, bytesReceived, sentDigest
    })
  })
  service.addEventListener('failure', ({ detail: { groupId: id, leader, error, inDoubt, bytesSent } }) => {
    audit.record({ ...common(), id, leader, outcome: inDoubt ? 'doubt' : 'failed', reason: error.name, bytesSent })
  })
  service.addEventListener('settled', ({ detail: { groupId: id, leader, verdict } }) => {
    audit.record({ ...common(), id, leader, outcome: verdict })
  })
}

interface Logged {
  readonly exchangeId: string
  readonly partner: string
  readonly role: ExchangeContent['role']
}

/** Exchanges that a crash kept out of the ledger, from the log that is read again at the start. */
export function recoverExchanges (
  log: { committed(): readonly Logged[], pending(): readonly Logged[] },
  averaging: AveragerView,
  audit: Pick<Auditor, 'record' | 'knows'>
): void {
  const write = (outcome: 'committed' | 'doubt', { exchangeId: id, partner, role }: Logged): void => {
    if (!audit.knows(id)) {
      audit.record({
        kind: 'exchange',
        id,
        partner,
        role,
        outcome,
        round: averaging.round,
        tensors: averaging.schema.tensors.length,
        recovered: true
      })
    }
  }
  for (const each of log.committed()) write('committed', each)
  for (const each of log.pending()) write('doubt', each)
}

function committed (
  { exchangeId, partner, role, round, partnerRound, bytesSent, bytesReceived, sentDigest, receivedDigest, codec, steps, partnerSteps }:
  ExchangeReport,
  tensors: number
): EntryContent {
  return {
    kind: 'exchange',
    id: exchangeId,
    partner,
    role,
    outcome: 'committed',
    round,
    partnerRound,
    tensors,
    bytesSent,
    bytesReceived,
    codec,
    steps,
    ...(partnerSteps == null ? {} : { partnerSteps }),
    sentDigest,
    receivedDigest
  }
}

/** Before an offer there is no exchange: it is a refusal, of which many become one entry. */
function failure (
  { exchangeId, partner, role, inDoubt, reason, bytesSent, bytesReceived, sentDigest, receivedDigest }: ExchangeFailure,
  common: Pick<ExchangeContent, 'kind' | 'round' | 'tensors'>
): EntryContent {
  if (exchangeId == null) return { kind: 'refusal', peer: partner, what: 'exchange', reason }
  return {
    ...common,
    id: exchangeId,
    partner,
    role,
    outcome: inDoubt ? 'doubt' : 'failed',
    reason,
    bytesSent,
    bytesReceived,
    ...(sentDigest == null ? {} : { sentDigest }),
    ...(receivedDigest == null ? {} : { receivedDigest })
  }
}
