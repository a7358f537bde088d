/** What a member states when it joins. */
export interface Party {
  readonly id: string
  readonly key: Uint8Array
  readonly mass: number
}

/** What a member saw: digests in hex. */
export interface GroupReport {
  readonly mean: string
  readonly vectors: readonly string[]
}

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

/** One run at this site; gossip-aggregation's GroupRun has this shape, and neither folder knows the other. */
export interface OpenGroup {
  readonly id: string
  readonly phase: string
  readonly party: Party
  readonly members: readonly string[]
  readonly chunks: readonly number[]
  /** Of what this member sends, hex. */
  readonly ownDigest: string
  readonly report: GroupReport
  open (parties: readonly Party[]): void
  use (): Promise<void>
  mask (): Iterator<void, void>
  outgoing (index: number): Uint8Array
  receive (from: string, bytes: Uint8Array): void
  end (from: string): string
  sum (): Iterator<void, void>
  ready (): Promise<void>
  commit (reports: readonly GroupReport[]): Promise<CommittedGroup>
  abort (): void
}

export type Decision = 'committed' | 'aborted'

/** What the protocol needs of the site's sealing. */
export interface GroupPort {
  readonly secure: { readonly size: number, readonly minimum: number }
  readonly schemaHash: string
  /** There is something to carry, and nothing is open or in doubt. */
  readonly isFresh: boolean
  /** @throws RefusedError with reason BUSY_HERE or NOT_READY_HERE */
  join (plan: { readonly id: string, readonly leader: string, readonly self: string }): OpenGroup
  /** In doubt: leader → group id. */
  readonly doubts: ReadonlyMap<string, string>
  settle (id: string, verdict: Decision): Promise<void>
  decide (id: string): Promise<Decision>
  unheard (member: string): readonly string[]
  isSettled (id: string): boolean
  acknowledged (ids: readonly string[], member: string): Promise<void>
}

/** Signs as this site, and judges what others signed. */
export interface Signer {
  sign (bytes: Uint8Array): Promise<Uint8Array>
  verify (peer: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>
}
