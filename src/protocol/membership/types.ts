import type { Connection, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import type { Protocols } from '../versions.ts'
import type { Admissions } from './admissions.ts'
import type * as wire from './pb/membership.ts'

/** Why a credential does not count, or a connection ends without one. */
export type CredentialReason = Exclude<`${wire.Reason}`, 'ACCEPTED'>

export interface KeyVersion {
  readonly epoch: number
  /** 32 bytes. */
  readonly hash: Uint8Array
}

export interface NetworkKey {
  /** Canonical JSON, signed. */
  readonly statement: Uint8Array
  readonly key: Uint8Array
}

/** What this site shows of itself. */
export interface Greeting {
  readonly credential: Uint8Array
  /** 32 bytes: equal where two sites know the same statements. */
  readonly digest: Uint8Array
  readonly key: KeyVersion
  /** 32 bytes: equal where two sites know the same documents; none where a site knows of no amendments. */
  readonly documents?: Uint8Array | undefined
  /** 32 bytes: equal where two sites know the same cross-site scores; none where a site knows of none. */
  readonly scores?: Uint8Array | undefined
  /** What its process drew at its start, 1 … 2³² − 1; none from software that draws none. */
  readonly instance?: number | undefined
}

/** What the protocol needs to know about the documents of a federation. */
export interface DocumentsPort {
  /** 32 bytes. */
  readonly digest: Uint8Array
  /** Canonical JSON, each before the one that follows it. */
  documents (): Uint8Array[]
  /** Takes in what others know. Returns what was new. @throws ProtocolError for a document that its founders did not sign. */
  learn (documents: readonly Uint8Array[]): Promise<Uint8Array[]>
}

/** What the protocol needs to know about cross-site scores. */
export interface ScoresPort {
  /** Canonical JSON. */
  rows (): Uint8Array[]
  /** Takes in what others know. Returns what was new. @throws ProtocolError for a row that was forged or altered. */
  learn (rows: readonly Uint8Array[]): Promise<Uint8Array[]>
}

/** What the protocol needs to know about membership; it moves bytes and leaves their meaning to this. */
export interface MembershipPort {
  readonly documents?: DocumentsPort | undefined
  readonly scores?: ScoresPort | undefined
  greeting (): Greeting
  /** undefined where the credential is good now, else what is wrong with it. */
  judge (peer: string, credential: Uint8Array): Promise<CredentialReason | undefined>
  statements (): Uint8Array[]
  /** Takes in what others know. Returns what was new. @throws ProtocolError for a statement that nobody may make. */
  learn (statements: readonly Uint8Array[]): Promise<Uint8Array[]>
  /** Resolves once this site has caught up with what happened while it was away, as far as it can. */
  caughtUp (peer: string): Promise<void>
  /** The newest network key if the other site's is older. */
  newerKey (than: KeyVersion): NetworkKey | undefined
  /** Returns true when it was new. @throws ProtocolError for a key that nobody may send. */
  learnKey (key: NetworkKey): Promise<boolean>
  /** What follows on this site's own certificate, signed by `peer`. @throws ProtocolError for what that peer did not sign. */
  learnRenewal? (peer: string, certificate: Uint8Array): Promise<void>
}

export interface MembershipEvents {
  /** Both sides accepted each other. */
  established: CustomEvent<{ readonly peer: PeerId }>
  /** No established connection to this peer is left. */
  left: CustomEvent<{ readonly peer: PeerId }>
  /** `by` us: the other's credential was refused here; `by` them: this site's was refused there. */
  refused: CustomEvent<{ readonly peer: PeerId, readonly by: 'us' | 'them', readonly reason: CredentialReason }>
  /** Both sides accepted each other on this very connection; `instance` is what the other's process drew, 0 if it does not say. */
  greeted: CustomEvent<{ readonly connection: Connection, readonly instance: number }>
  /** This certified peer says that another process has this site's key; `instance` is what that one drew at its start. */
  twin: CustomEvent<{ readonly by: PeerId, readonly instance: number }>
}

export interface MembershipNews {
  readonly statements?: readonly Uint8Array[]
  readonly documents?: readonly Uint8Array[]
  readonly scores?: readonly Uint8Array[]
  readonly key?: NetworkKey
}

export interface Membership extends TypedEventTarget<MembershipEvents> {
  readonly protocol: string
  /** Tells every established peer, judges every connection again, and cuts those whose credential counts no more. */
  spread (news: MembershipNews): Promise<void>
  /** Judges every connection again: certificates expire. */
  review (): Promise<void>
  /** Tells whoever is at the other end that another process, which drew `instance`, has its key. */
  tellTwin (connection: Connection, instance: number): Promise<void>
  /** Hands a peer what follows on its certificate, canonical JSON. */
  tellRenewal (connection: Connection, certificate: Uint8Array): Promise<void>
  /** Greets everybody anew to whom this site showed another certificate than it has now. */
  greetAnew (): void
}

export interface MembershipInit {
  readonly federationId: string
  readonly membership: MembershipPort
  readonly admissions: Admissions
  /** Time within which a new connection must be established, milliseconds; 20 s when missing. */
  readonly establishMs?: number
  /** Their versions, where not this software's. */
  readonly protocols?: Protocols | undefined
}

export interface MembershipComponents {
  readonly registrar: Pick<Registrar, 'handle' | 'unhandle'>
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  readonly events: {
    addEventListener(name: 'connection:open' | 'connection:close', listener: (event: CustomEvent<Connection>) => void): void,
    removeEventListener(name: 'connection:open' | 'connection:close', listener: (event: CustomEvent<Connection>) => void): void
  }
}
