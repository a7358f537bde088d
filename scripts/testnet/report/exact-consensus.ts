import { relativeDistance } from '../../../src/gossip-aggregation/consensus.ts'
import type { HomeResult } from '../hospitals/homes.ts'
import type { ConsensusPoint } from './report.ts'

export interface ConsensusInput {
  readonly result: HomeResult
  /** Its final adapter counts only then. */
  readonly finished: boolean
}

/**
 * The consensus distance from the adapters on disk: one point per round that at least two sites saved, and one at the end
 * over the sites that finished. `secondsOf` turns a record's time into seconds since the start.
 */
export function exactConsensus (sites: readonly ConsensusInput[], secondsOf: (t: string) => number, endSeconds: number): ConsensusPoint[] {
  const initial = sites.find(({ result }) => result.initial != null)?.result.initial
  if (initial == null) return []
  const points: ConsensusPoint[] = []
  const rounds = [...new Set(sites.flatMap(({ result }) => [...result.byRound.keys()]))].sort((a, b) => a - b)
  for (const round of rounds) {
    const vectors = sites.flatMap(({ result }) => result.byRound.get(round) ?? [])
    const times = sites.flatMap(({ result }) => result.rounds.filter((record) => record.round === round).map(({ t }) => secondsOf(t)))
    if (vectors.length > 1) {
      points.push({ t: Math.max(0, ...times), round, sites: vectors.length, distance: finite(relativeDistance(vectors, initial)) })
    }
  }
  const finals = sites.flatMap(({ finished, result }) => finished ? result.final ?? [] : [])
  if (finals.length > 1) {
    points.push({ t: endSeconds, round: null, sites: finals.length, distance: finite(relativeDistance(finals, initial)) })
  }
  return points
}

/** JSON has no Infinity, which stands for a mean that has not moved at all. */
function finite (distance: number): number {
  return Math.min(distance, Number.MAX_VALUE)
}
