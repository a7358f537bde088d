import type { Steps } from '../gossip-aggregation/unmixed.ts'
import type { Scores } from '../home/metrics-log.ts'

/** summary.json: what a finished daemon leaves behind; scores where it has labels. */
export interface Summary extends Partial<Scores> {
  readonly name: string
  /** A site without labels. */
  readonly reads?: true
  readonly peerId: string
  readonly federation: string
  /** Finished. */
  readonly rounds: number
  readonly images: number
  readonly validationImages: number
  /** Training images that it has gone through at least once. */
  readonly imagesSeen: number
  /** Of phase G; what has arrived nowhere by now is lost. */
  readonly steps: Steps
  /** Part of a round's steps that it trained at the end. */
  readonly pace: number
  readonly engine: string
  /** cpu, webgpu or cuda. */
  readonly provider: string
  /** Why this engine and provider. */
  readonly engineReason: string
  readonly exchanges: number
  /** Exchanges that this site began and whose end it never learnt: asked about again at the next start. */
  readonly inDoubt: number
  /** Index is round − 1; both roles. */
  readonly exchangesByRound: readonly number[]
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Of the daemon process, from the start of training to its end. */
  readonly eventLoopP99Ms: number
  readonly refusedHandshakes: number
  /** What was said in this run, over or not. */
  readonly warnings: readonly string[]
}
