import type { AbortOptions, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { SettledExchange } from '../outcome/talk.ts'
import type { Protocols } from '../versions.ts'
import type { Limits } from './limits.ts'
import type { RefusalReason } from './messages.ts'
import type { AveragingPort, CommittedExchange } from './port.ts'

/** A committed exchange; bytes include length prefixes, not the encryption's overhead. */
export interface ExchangeReport extends CommittedExchange {
  readonly bytesSent: number
  readonly bytesReceived: number
  /** SHA-256 of the vector's chunks, hex. */
  readonly sentDigest: string
  readonly receivedDigest: string
  readonly durationMs: number
}

export interface ExchangeFailure {
  readonly partner: string
  readonly role: 'initiator' | 'responder'
  /**
   * The error's class: ProtocolError (count it against the partner), TimeoutError, UnreachableError, SchemaError (our own release gate)
   * …
   */
  readonly reason: string
  readonly error: Error
  /** Commit had left: the partner may have applied what this side did not. */
  readonly inDoubt: boolean
  /** Missing when it failed before there was an offer. */
  readonly exchangeId?: string
  /** Since there was a stream; 0 where none came about. */
  readonly durationMs: number
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Present when the whole vector left (was read). */
  readonly sentDigest?: string
  readonly receivedDigest?: string
}

export interface AdapterExchangeEvents {
  /** Both roles, after commit. */
  exchange: CustomEvent<ExchangeReport>
  /** Both roles; x is unchanged. Refusals are not failures. */
  failure: CustomEvent<ExchangeFailure>
  /** An exchange that this side had initiated is no longer in doubt; its difference is applied if it was committed. */
  settled: CustomEvent<SettledExchange>
  /** A partner said in an offer or an answer, which may be a refusal, in which round it is. */
  round: CustomEvent<{ readonly partner: string, readonly round: number }>
  /** This side declined a partner's offer. */
  refusal: CustomEvent<{ readonly partner: string, readonly reason: RefusalReason }>
}

export interface AdapterExchange extends TypedEventTarget<AdapterExchangeEvents> {
  readonly protocol: string
  /**
   * One push-pull exchange as initiator; dials if there is no connection.
   * An exchange in doubt with this partner is settled first.
   * @throws RefusedError with reason BUSY, SCHEMA, STALE, NOT_MEMBER, RATE_LIMITED or PAUSED of the partner, or BUSY_HERE, PAUSED_HERE
   * (this side) or YIELDED (the partner's simultaneous offer goes first); UnreachableError, TimeoutError, ProtocolError.
   */
  exchange (peerId: PeerId, options?: ExchangeOptions): Promise<ExchangeReport>
  /**
   * Asks this partner, which can be reached now, what became of an exchange in doubt, and acknowledges what is settled. @throws
   * UnreachableError, TimeoutError, ProtocolError.
   */
  settle (peerId: PeerId): Promise<void>
  /** How often exchanges with this partner failed since the start, by the error's name. */
  failuresOf (partner: string): Readonly<Record<string, number>>
}

export interface ExchangeOptions extends AbortOptions {
  /** This site is far behind: it takes the partner's x and round over and changes nothing there. */
  readonly catchUp?: boolean
  /** The round that the others are believed to be in: no later one is taken over. */
  readonly upTo?: number | undefined
}

export interface AdapterExchangeInit {
  readonly federationId: string
  readonly averaging: AveragingPort
  readonly limits?: Partial<Limits>
  /** Whether the peer has a valid certificate now; offers of others are refused NOT_MEMBER. Everybody when missing. */
  readonly isMember?: (peer: string) => boolean
  /** Offers that one partner may make; the burst is twenty. */
  readonly offersPerSecond?: number
  /** Their versions, where not this software's. */
  readonly protocols?: Protocols | undefined
}

export interface AdapterExchangeComponents {
  readonly peerId: PeerId
  readonly registrar: Pick<Registrar, 'handle' | 'unhandle'>
  readonly connectionManager: Pick<ConnectionManager, 'openStream'>
}
