import { Averager } from '../../src/gossip-aggregation/averager.ts'
import type { GroupRun } from '../../src/gossip-aggregation/groups/group-run.ts'
import type { CommittedGroup, SecureSettings } from '../../src/gossip-aggregation/groups/group-types.ts'
import { cryptoOf } from '../../src/privacy/group-secrets.ts'
import { nextId, vectorSchema } from './site.ts'

export const SECURE: SecureSettings = { size: 4, minimum: 3, bound: 1 }

/** A site that seals its training. */
export interface SealedSite {
  readonly id: string
  readonly averager: Averager
}

export function sealedSite (id: string, size: number, { mass = 1 }: { mass?: number } = {}): SealedSite {
  const settings = { codec: 'f32', maxMass: 1000, clipRadius: 1e6, normBound: 1e6, staleness: 3 } as const
  const values = new Float32Array(size)
  return { id, averager: new Averager({ schema: vectorSchema(size), values, round: 0, mass, settings, sealed: { secure: SECURE } }) }
}

/** Trains, and has it on disk. */
export async function train ({ averager }: SealedSite, delta: Float32Array): Promise<void> {
  const before = averager.snapshot()
  averager.land(before, before.map((value, index) => value + delta[index]!), averager.round + 1, 1)
  await averager.saved([])
}

export interface Wire {
  /** Sees what a member sends to another, and may say otherwise. */
  readonly onVector?: (from: string, to: string, bytes: Uint8Array) => Uint8Array
  /** Ends it when all vectors were sent. */
  readonly abortAt?: 'vectors'
}

/** What the protocol does with a group, at once; the first leads. Undefined where it was ended. */
export async function runGroup (
  sites: readonly SealedSite[],
  { onVector = asItIs, abortAt }: Wire = {}
): Promise<CommittedGroup[] | undefined> {
  const id = nextId()
  const leader = sites[0]!.id
  const runs = sites.map(({ id: self, averager }) => averager.sealing!.join({ id, leader, self }, cryptoOf(id)))
  try {
    const parties = runs.map(({ party }) => party)
    for (const run of runs) {
      run.open(parties)
      await run.use()
      Array.from(run.mask())
    }
    for (const run of runs) runs.filter((other) => other !== run).forEach((other) => { send(run, other, onVector) })
    if (abortAt === 'vectors') return undefined
    for (const run of runs) Array.from(run.sum())
    for (const run of runs.slice(1)) await run.ready()
    const reports = runs.map(({ report }) => report)
    const outcomes: CommittedGroup[] = []
    for (const run of runs) outcomes.push(await run.commit(reports))
    return outcomes
  } finally {
    for (const run of runs) run.abort()
  }
}

function asItIs (_from: string, _to: string, bytes: Uint8Array): Uint8Array {
  return bytes
}

function send (from: GroupRun, to: GroupRun, onVector: NonNullable<Wire['onVector']>): void {
  for (const index of from.chunks.keys()) to.receive(from.self, onVector(from.self, to.self, from.outgoing(index)))
  to.end(from.self)
}

/** Φ = Σ w·(x + u) in float64, per coordinate. */
export function potential (sites: readonly SealedSite[]): number[] {
  return Array.from(sites[0]!.averager.values, (_, index) =>
    sites.reduce((sum, { averager }) => sum + averager.mass * (averager.values[index]! + averager.sealing!.delta.reveal()[index]!), 0))
}
