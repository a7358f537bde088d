/** What the bench asks of its worker processes, over IPC. */
import type { Codec } from '../../src/gossip-aggregation/codec.ts'

export interface SiteSetup {
  readonly index: number
  readonly sites: number
  /** P: float32 numbers of the adapter. */
  readonly size: number
  readonly codec: Codec | 'auto'
  readonly home: string
  readonly federationId: string
  readonly networkKey: string
  /** For the test of crashes: the process kills itself before or after this change of its log. */
  readonly dieAt?: { readonly change: 'seal' | 'settle' | 'absorb' | 'forget', readonly when: 'before' | 'after' }
}

export interface Usage {
  /** Of this process since it started, user and system. */
  readonly cpuMs: number
  readonly peakBytes: number
}

/** One exchange as its initiator saw it; bytes of both directions. */
interface Exchanged {
  readonly ms: number
  readonly bytes: number
}

export interface Calls {
  open: { request: SiteSetup, reply: { peerId: string, address: string } }
  connect: { request: { address: string }, reply: null }
  exchange: { request: { peerId: string }, reply: Exchanged }
  /** ‖x − x̄‖ / ‖x̄‖ against the true mean of all sites' seeded vectors. */
  distance: { request: null, reply: { relative: number } }
  /** x, and how many exchanges are in doubt. */
  state: { request: null, reply: { values: number[], inDoubt: number } }
  /** Saves a checkpoint. */
  save: { request: null, reply: null }
  usage: { request: null, reply: Usage }
  /** A bare libp2p node (TCP, Noise, yamux, nothing else) or TCP server that swaps `bytes` with whoever comes. */
  listen: { request: { kind: 'libp2p' | 'tcp', bytes: number }, reply: { address: string } }
  /** Sends `bytes` and receives as many over one stream at once. */
  swap: { request: { kind: 'libp2p' | 'tcp', address: string, bytes: number }, reply: null }
}

export type CallName = keyof Calls
export interface CallMessage<N extends CallName = CallName> { readonly id: number, readonly call: N, readonly request: Calls[N]['request'] }
export type ReplyMessage = { readonly id: number, readonly reply: Calls[CallName]['reply'] } | { readonly id: number, readonly failure: string }
