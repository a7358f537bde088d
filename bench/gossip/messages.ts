/** What the bench asks of its worker processes, over IPC. */
import type { Codec } from '../../src/gossip-aggregation/codecs/codec.ts'

export interface SiteSetup {
  readonly index: number
  readonly sites: number
  /** P: float32 numbers of the adapter. */
  readonly size: number
  readonly codec: Codec | 'auto'
  readonly home: string
  readonly federationId: string
  readonly networkKey: string
  /** Passes connections on. */
  readonly relay?: boolean
  /** For the test of crashes: the process kills itself before or after this change of its log. */
  readonly dieAt?: { readonly change: 'seal' | 'settle' | 'absorb' | 'forget', readonly when: 'before' | 'after' }
}

export interface Usage {
  /** Of this process since it started, user and system. */
  readonly cpuMs: number
  readonly peakBytes: number
}

export type Kind = 'libp2p' | 'tcp'

/** One exchange as its initiator saw it; bytes of both directions. */
interface Exchanged {
  readonly ms: number
  readonly bytes: number
}

/** By name: what is asked, and what is answered. */
export type Calls<C> = { [N in keyof C]: { request: unknown, reply: unknown } }

export interface SiteCalls {
  open: { request: SiteSetup, reply: { peerId: string, address: string } }
  /** From here on it is no news when a connection ends. */
  leave: { request: null, reply: null }
  connect: { request: { address: string }, reply: null }
  /** Asks the relay at this address for a place; replies where the site is reached through it. */
  reserve: { request: { address: string }, reply: { address: string } }
  exchange: { request: { peerId: string }, reply: Exchanged }
  /** x becomes the site's seeded vector again, once nothing is saved in the background. */
  draw: { request: null, reply: null }
  /** ‖x − x̄‖ / ‖x̄‖ against the true mean of all sites' seeded vectors. */
  distance: { request: null, reply: { relative: number } }
  /** x, and how many exchanges are in doubt. */
  state: { request: null, reply: { values: number[], inDoubt: number } }
  /** Saves a checkpoint. */
  save: { request: null, reply: null }
  usage: { request: null, reply: Usage }
}

export interface BareCalls {
  usage: { request: null, reply: Usage }
  /** The garbage collector is set as the daemon sets its own. */
  fit: { request: null, reply: null }
  /** A bare libp2p node (TCP, Noise, yamux, nothing else) or TCP server that swaps `bytes` with whoever comes. */
  listen: { request: { kind: Kind, bytes: number }, reply: { address: string } }
  /** Makes and frees a vector of `size` numbers, as a site does between averages. */
  draw: { request: { size: number }, reply: null }
  /** Sends `bytes` and receives as many over one stream at once. */
  swap: { request: { kind: Kind, address: string, bytes: number }, reply: null }
}

export interface CallMessage { readonly id: number, readonly call: string, readonly request: unknown }
export type ReplyMessage = { readonly id: number, readonly reply: unknown } | { readonly id: number, readonly failure: string }
