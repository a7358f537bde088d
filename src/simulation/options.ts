import type { AveragingSettings } from '../gossip-aggregation/averager-types.ts'
import type { PartnerRule } from '../gossip-aggregation/partner-choice.ts'

export interface SimulationOptions {
  readonly peers: number
  /** Numbers in each vector. */
  readonly dim: number
  readonly cycles: number
  readonly partner: PartnerRule
  readonly codec: AveragingSettings['codec']
  /** Share of messages that never arrive. */
  readonly loss: number
  /** Share of sites that are away in each cycle. */
  readonly churn: number
  /** Share of sites that are four times as slow as the others. */
  readonly stragglers: number
  /** Share of sites that send x + fresh noise of 100 times the spread. */
  readonly liars: number
  /** Milliseconds that a message takes on average; a cycle takes 10 000. */
  readonly delay: number
  /** A vector that all have in common, in multiples of the spread at the start. */
  readonly offset: number
  /** Masses are drawn log-uniformly from 1 to this. */
  readonly maxMass: number
  /** First clip radius, in multiples of the spread at the start. */
  readonly radius: number
  readonly seed: number
}

export const DEFAULTS: SimulationOptions = {
  peers: 100,
  dim: 256,
  cycles: 30,
  partner: 'exponential',
  codec: 'auto',
  loss: 0,
  churn: 0,
  stragglers: 0,
  liars: 0,
  delay: 0,
  offset: 0,
  maxMass: 1,
  radius: 4,
  seed: 1
}

/** Virtual milliseconds in which every live site initiates once. */
export const CYCLE_MS = 10_000
/** By this factor stragglers initiate less often, and their messages take longer. */
export const SLOWNESS = 4
/** Liars' noise, in multiples of the spread at the start. */
export const LIE = 100
