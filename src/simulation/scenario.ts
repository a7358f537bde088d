import type { TensorSpec } from '../adapter/schema.ts'
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
  readonly facts?: Facts | undefined
}

export interface Tells {
  readonly method: MethodSettings
  readonly facts: (index: number, adapter: Float32Array) => Facts
  readonly maxMass: number
}

/** Training that leads somewhere, from where all sites start, and what liars do meanwhile. */
export interface Scenario {
  readonly start: Float32Array
  /** Of the federation. */
  readonly clipRadius: number
  readonly learn: (index: number) => Learn
  readonly lie: Lie
  /** What all numbers are of; one tensor when missing. */
  readonly tensors?: readonly TensorSpec[] | undefined
  /** Where sites go by what all of them announce: how, what a site says of an adapter, and the most that one may claim to count for. */
  readonly tells?: Tells | undefined
}
