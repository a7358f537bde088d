import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Codec } from '../../src/gossip-aggregation/codecs/codec.ts'
import { Worker } from './worker.ts'

export interface Member {
  readonly worker: Worker
  readonly peerId: string
  readonly address: string
}

export interface FleetInit {
  readonly sites: number
  readonly size: number
  readonly codec: Codec | 'auto'
  /** One more member that passes the connections of the first two on, which have no other. */
  readonly relayed?: boolean
  /** Homes are made and removed below it. */
  readonly folder: string
}

/** Open sites, all connected, for the time of `work`; in order of their peer ids, as partner rules see them. */
export async function withFleet<T> (
  { folder, sites, relayed = false, ...setting }: FleetInit,
  work: (members: readonly Member[]) => Promise<T>
): Promise<T> {
  const root = await mkdtemp(join(folder, 'consilium-bench-'))
  const workers = Array.from({ length: relayed ? 3 : sites }, () => new Worker())
  try {
    const result = await work(await openAll(workers, root, { ...setting, relayed }))
    await Promise.all(workers.map(async (worker) => await worker.call('leave', null)))
    return result
  } finally {
    await Promise.all(workers.map(async (worker) => { await worker.stop() }))
    await rm(root, { recursive: true, force: true })
  }
}

async function openAll (
  workers: readonly Worker[],
  root: string,
  { size, codec, relayed }: Pick<FleetInit, 'size' | 'codec'> & { relayed: boolean }
): Promise<Member[]> {
  const federation = { federationId: randomBytes(32).toString('hex'), networkKey: randomBytes(32).toString('hex') }
  const members = await Promise.all(
    workers.map(async (worker, index) => ({
      worker,
      ...await worker.call('open', {
        index,
        sites: workers.length,
        size,
        codec,
        home: join(root, String(index)),
        relay: relayed && index === workers.length - 1,
        ...federation
      })
    }))
  )
  if (relayed) return await connectThrough(members)
  members.sort((a, b) => a.peerId < b.peerId ? -1 : 1)
  for (const [index, { worker }] of members.entries()) {
    for (const { address } of members.slice(index + 1)) await worker.call('connect', { address })
  }
  return members
}

async function connectThrough ([one, other, relay]: readonly Member[]): Promise<Member[]> {
  const { address } = await other!.worker.call('reserve', { address: relay!.address })
  for (const each of [relay!.address, address]) await one!.worker.call('connect', { address: each })
  return [one!, other!]
}
