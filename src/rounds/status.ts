import type { Steps } from '../gossip-aggregation/unmixed.ts'
import type { Dice, DiceIntervals } from '../home/metrics-log.ts'
import type { WarningKind } from './warning-kinds.ts'

/** What a site is doing: G and L are the phases of training; a site without labels reads. */
export type SitePhase = 'starting' | 'waiting' | 'reading' | 'G' | 'exchange' | 'L' | 'cool-down' | 'done' | 'stopped'

/** An amendment of the federation that is not in force at this site. */
export interface AmendmentView {
  /** Its number and the beginning of its digest. */
  name: string
  /** One line each, against the document that is in force here. */
  changes: string[]
  /** It lacks founders' signatures; waits for this site; is what this site goes on with next; or cannot be. */
  state: 'unsigned' | 'open' | 'agreed' | 'impossible'
  why?: string
}

/** What sites show each other of one kind, where the federation shares it. */
export interface PublicationView {
  kind: string
  /** This site's policy.json agrees. */
  consents: boolean
  /** This site shows one at present. */
  shows: boolean
  /** Peer ids of sites whose publication it holds, and of those that show none. */
  received: string[]
  without: string[]
}

/** A warning that holds. */
export interface ConditionView {
  /** What docs/reference/metrics.md calls it. */
  kind?: WarningKind
  /** What is wrong, where, and mostly what to do. */
  sentence: string
  /** ISO 8601, UTC. */
  since: string
}

/** What GET /status answers. */
export interface SiteStatus {
  /** Its version, and name/version of each protocol that it speaks. */
  software: string
  protocols: string[]
  name: string
  peerId: string
  addresses: string[]
  federation: string
  /** Number of the document in force here: 0 for the first one. */
  amendment: number
  /** Amendments that are not in force here; absent where there are none. */
  amendments?: AmendmentView[]
  round: number
  rounds: number
  phase: SitePhase
  /** Whether this round looks at no label; absent where the federation has no such rounds. */
  labelFree?: boolean
  partner?: string
  /** A site without labels: it reads what the others average, and has no Dice. */
  reads?: true
  /** No image of it has a whole mask: it trains on weak labels, and has no Dice. */
  unscored?: true
  dice?: Dice
  /** 95 % intervals of them, over patients; absent where these are fewer than five. */
  intervals?: DiceIntervals
  /** Dice by class, where the federation names classes. */
  classes?: Readonly<Record<string, Dice>>
  /** Estimated relative consensus distance of the sites that announced themselves lately. */
  consensus?: number
  /** Optimiser steps of phase G; absent until the trainer is ready. */
  steps?: Steps
  /** Training images that it has gone through at least once, and how many it has; absent until the trainer is ready. */
  images?: { seen: number, all: number }
  /** Part of a round's steps that it trains at present, above 0 to 1: less than 1 where it could not keep up otherwise. */
  pace: number
  /** Whom it waits for before it ends. */
  waitsFor?: string[]
  exchanges: number
  /** Exchanges that this site began and whose end it could not learn yet. */
  inDoubt: number
  /** Peer ids of sites whose adapters were clipped again and again: asked last. */
  suspects: string[]
  bytesSent: number
  bytesReceived: number
  peers: number
  /** Connections that failed the handshake: no or another network key, mostly. */
  refusedHandshakes: number
  /** Connections that ended because one side did not accept the other's certificate. */
  refusedCertificates: number
  /**
   * Streams that peers opened, by protocol: taken, and reset for want of a certificate. Membership, identify and ping are open to all
   * and not counted.
   */
  streams: Record<string, { handled: number, reset: number }>
  /** Peer ids of members that hold a place for this site, so that others reach it through them. */
  relays: string[]
  /** Bytes that this site passed on for others since its start. */
  relayedBytes: number
  /** What holds now; the log has what was. */
  warnings: string[]
  /** The same with kinds and times. */
  conditions: ConditionView[]
  /** Absent where the federation shares nothing beside the adapter. */
  publications?: PublicationView[]
  /** What computes, where, and why that; absent until the trainer is ready. */
  compute?: { engine: string, provider: string, reason: string }
  trainer: 'loading' | 'ready' | 'restarting'
  progress?: { step: number, steps: number }
  eventLoopP99Ms: number
}

/** One entry of GET /peers: connected, announced and exchanged are different facts. */
export interface PeerView {
  peerId: string
  connected: boolean
  addresses: string[]
  /** ISO 8601, UTC. */
  lastSeen?: string
  round?: number
  phase?: string
  dice?: number
  /** Dice by class, where the federation names classes. */
  classes?: Readonly<Record<string, number>>
  steps?: { trained: number, arrived: number }
  pace?: number
  /** A site without labels. */
  reads?: true
  exchanges: number
  /** How it is reached: direct, through the proxy, or relayed by whom; absent while it is not. */
  reach?: string
  /** Its adapter was clipped again and again. */
  suspect: boolean
  /** It trained, said no farewell, and is not there. */
  absent?: true
  /** Version; absent until it has said so. */
  software?: string
}
