import type { LogEntry, RecordHead } from '../exchange/exchange-log.ts'

/** What of a federation's settings masked groups follow. */
export interface SecureSettings {
  /** Sites of a group where there are enough; of the rest, up to twice as many but one. */
  readonly size: number
  /** No group has fewer. */
  readonly minimum: number
  /** Largest number of a delta that one group carries; what is beyond it goes along with the next. */
  readonly bound: number
}

/** What a member states when it joins. */
export interface Party {
  readonly id: string
  /** X25519, 32 bytes, of this group alone. */
  readonly key: Uint8Array
  /** A whole number. */
  readonly mass: number
}

/** What a member saw: digests in hex of the mean, and of each member's vector in the order of the parties. */
export interface GroupReport {
  readonly mean: string
  readonly vectors: readonly string[]
}

/** Keys, masks and digests: randomness and cryptography are given to this room. */
export interface GroupCrypto {
  readonly publicKey: Uint8Array
  readonly stream: (theirKey: Uint8Array) => (bytes: number) => Uint8Array
  readonly digest: () => { update (bytes: Uint8Array): void, hex (): string }
}

/** Which run it is. */
export interface GroupPlan {
  /** 32 hex digits, drawn by the leader. */
  readonly id: string
  readonly leader: string
  readonly self: string
}

/** What a committed run did. */
export interface CommittedGroup {
  readonly id: string
  readonly leader: string
  readonly members: readonly string[]
  readonly mass: number
  /** ‖ū‖. */
  readonly norm: number
  /** Of this site's training, all up to this step is in it. */
  readonly steps: number
}

/** What a run needs of its site. */
export interface GroupSide {
  readonly size: number
  readonly secure: SecureSettings
  readonly mass: number
  readonly maxMass: number
  /** u in whole parts of the grid, as it stays to the end of the run. */
  readonly codes: () => Int32Array
  /** Whole parts of the grid in 1. */
  readonly scale: number
  /** Of own training, what u holds. */
  readonly steps: number
  /** Largest ‖ū‖ that is taken in. */
  readonly reach: () => number
  /** Durable when it resolves: u goes into no other group before there is new training in it. */
  readonly use: () => Promise<void>
  readonly begin: (head: RecordHead) => Promise<LogEntry>
  readonly settle: (id: string) => Promise<void>
  /** x ← x + mean, u ← u − own, at once. */
  readonly apply: (id: string, mean: Float32Array, own: Float32Array, steps: number) => void
  readonly closed: (end: 'committed' | 'aborted' | 'doubt') => void
}
