import type { Facts } from '../gossip-aggregation/facts.ts'
import type { MethodSettings } from '../settings/method.ts'
import type { Learn } from './virtual-trainer.ts'
import type { VirtualSite } from './virtual-site.ts'

/** What a liar knows when it lies: everything. */
export interface Known {
  readonly victim: VirtualSite
  /** What the victim stated. */
  readonly radius: number
  readonly sites: readonly VirtualSite[]
  /** Standard normal numbers of its own. */
  readonly normal: () => number
}

export interface Lie {
  /** Changes what is sent. */
  readonly tell: (copy: Float32Array, known: Known) => void
  /** Exchanges that it begins in a cycle beside those of its rounds. */
  readonly visits?: number
  /** What it announces of itself, whatever is so. */
  readonly facts?: Facts
}

/** Training that leads somewhere, from where all sites start, and what liars do meanwhile. */
export interface Scenario {
  readonly start: Float32Array
  /** Of the federation. */
  readonly clipRadius: number
  readonly learn: (index: number) => Learn
  readonly lie: Lie
  /** Where sites weigh what they train by what all of them announce: how, and what an adapter lacks at a site. */
  readonly weighs?: { readonly method: MethodSettings, readonly facts: (index: number, adapter: Float32Array) => Facts }
}
