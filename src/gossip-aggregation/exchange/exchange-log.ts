export type ExchangeRole = 'initiator' | 'responder'
export type Decision = 'committed' | 'aborted'

/** What a record says about its exchange before d is complete. Ids are 32 hex digits, partners are peer ids. */
export interface RecordHead {
  readonly exchangeId: string
  readonly partner: string
  readonly role: ExchangeRole
  /** Floats in d. */
  readonly size: number
  /** Of a group's record, the members who may ask its leader. */
  readonly members?: readonly string[] | undefined
}

export interface SealedRecord extends RecordHead {
  /** What d is multiplied by when it is applied to this site's x: clip and mass are in it. */
  readonly factor: number
  /** Of this site's training, all up to this step is at the partner once this is committed; none in records before 0.2.0. */
  readonly steps?: number | undefined
}

/** A record that is being written. */
export interface LogEntry {
  /** The next numbers of the unclipped d, which do not change before the exchange is committed and settled; one call at a time. */
  append (values: Float32Array): Promise<void>
  /** Durable, whole, and visible at once when it resolves; when it rejects there is no such record, now or after a restart. */
  seal (state: 'pending' | 'committed', end: Pick<SealedRecord, 'factor' | 'steps'>): Promise<void>
  /** Leaves nothing behind. */
  discard (): Promise<void>
}

/**
 * Write-ahead log of exchanges (docs/spec/gossip.md#exchange-log). A *committed* record is a redo record: the durable x is the last
 * checkpoint plus factor·d of all committed records that the checkpoint does not name. Every promise resolves when what it says is
 * durable. Reads need no disk but for `read`.
 */
export interface ExchangeLog {
  begin (head: RecordHead): Promise<LogEntry>
  /** Initiator: a pending record becomes committed (d is kept for redo) or is dropped. */
  settle (exchangeId: string, verdict: Decision): Promise<void>
  /** d of a pending or committed record. */
  read (exchangeId: string): Promise<Float32Array>
  /** Own exchanges in doubt. */
  pending (): readonly SealedRecord[]
  /** Records whose d is still kept, in order of their commit. */
  committed (): readonly SealedRecord[]
  /** A durable checkpoint contains these: their d's are dropped; outcomes stay until forgotten. Unknown ids do no harm. */
  absorb (exchangeIds: readonly string[]): Promise<void>
  /** Responder: the partner's exchange was committed here, and is not forgotten yet. */
  outcome (exchangeId: string, partner: string): Decision | undefined
  /** Responder: exchanges of this initiator whose outcome is kept, in order of decision. */
  unacknowledged (partner: string): readonly string[]
  /** Responder: the initiator has settled these; only outcomes are dropped, d's stay until absorbed. */
  forget (exchangeIds: readonly string[], partner: string): Promise<void>
}

/** The same for groups: d is the mean and then what the group took of this site's own. */
export interface GroupLog extends ExchangeLog {
  /** What is known of a record, whatever state it is in. */
  head (exchangeId: string): SealedRecord | undefined
}
