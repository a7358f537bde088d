import type { LabelFits } from '../settings/labels.ts'
import { byClass } from './by-class.ts'
import type { PeerView } from './status.ts'

/** What a site's latest announcement says, as far as the round pipeline needs it. */
export interface Announced {
  readonly round: number
  readonly phase: string
  readonly schemaHash: string
  readonly sketch: Float32Array
  readonly dice?: number | undefined
  readonly steps?: { readonly trained: number, readonly arrived: number } | undefined
  readonly pace?: number | undefined
  readonly labelFits?: LabelFits | undefined
  readonly classDice?: readonly (number | undefined)[] | undefined
  /** A site without labels: it reads, and counts in nothing. */
  readonly reads?: boolean | undefined
  /** As it announced them, not clamped yet. */
  readonly facts?: Float32Array | undefined
}

/** What is known of one other site. */
export interface PeerEntry {
  connected: boolean
  addresses: readonly string[]
  lastSeen?: number
  announced?: Announced
  announcedAt?: number
  /** The round that it was in when it was heard first. */
  firstRound?: number
  /** In its last announcement, whatever it said in exchanges since. */
  announcedRound?: number
  /** The latest round that it ever said it is in; -1 before the first, and when it got there. */
  highest: number
  movedAt: number
  /** When it was first heard to have finished its rounds. */
  finishedAt?: number
  exchanges: number
  foreign: boolean
  /** No common version of a protocol: it cannot be asked, though its training may reach this site through others. */
  apart: boolean
  software?: string
}

// What a site says last, of its own will: it is neither asked nor waited for.
const GONE = new Set(['done', 'stopped'])
const FINISHED = new Set(['cool-down', ...GONE])

/** It averages what this site averages, as far as is known: one without labels reads, and nothing waits for it or counts it. */
export function trains ({ foreign, announced }: PeerEntry): boolean {
  return !foreign && announced?.reads !== true
}

/** It can be asked, and has not said farewell. */
export function isPartner (entry: PeerEntry): boolean {
  return trains(entry) && !entry.apart && !isGone(entry)
}

/** It said farewell. */
export function isGone ({ announced }: PeerEntry): boolean {
  return announced != null && GONE.has(announced.phase)
}

/** Its rounds are over. */
export function hasFinished ({ phase }: Announced): boolean {
  return FINISHED.has(phase)
}

/** What it says of its training. */
export function trainingIn ({ steps, pace, reads }: Partial<Announced>): Pick<PeerView, 'steps' | 'pace' | 'reads'> {
  return { ...(steps == null ? {} : { steps }), ...(pace == null ? {} : { pace }), ...(reads === true ? { reads: true as const } : {}) }
}

/** Its entry of GET /peers; `classes`: names of the federation's. */
export function viewOf (
  [peerId, { connected, addresses, lastSeen, announced, exchanges, software }]: readonly [string, PeerEntry],
  { suspect, classes }: { readonly suspect: boolean, readonly classes: readonly string[] }
): PeerView {
  return {
    peerId,
    connected,
    addresses: [...addresses],
    exchanges,
    suspect,
    ...(lastSeen == null ? {} : { lastSeen: new Date(lastSeen).toISOString() }),
    ...(announced == null ? {} : { round: announced.round, phase: announced.phase, ...trainingIn(announced) }),
    ...(announced?.dice == null ? {} : { dice: announced.dice }),
    ...byClass(announced?.classDice, classes),
    ...(software == null ? {} : { software })
  }
}
