import type { Codec } from '../../src/gossip-aggregation/codec.ts'
import { withFleet, type Member } from './fleet.ts'
import type { Usage } from './messages.ts'

export interface Average {
  readonly seconds: number
  /** Steps of the exponential rule until every site was near enough. */
  readonly steps: number
  readonly exchanges: number
  /** Both directions, all pairs. */
  readonly bytes: number
  readonly bytesPerSecond: number
  readonly cpuSeconds: number
  /** The site farthest from the true mean, relative to the mean's norm. */
  readonly farthest: number
  readonly peakBytesPerSite: number
  /** x and three more vectors of 4·P bytes, and 150 MB. */
  readonly allowedBytesPerSite: number
}

export interface Baseline {
  /** As many process pairs at once as the exchanges had. */
  readonly bytesPerSecond: number
  /** One pair alone. */
  readonly soloBytesPerSecond: number
  /** Of all processes, for as many bytes as the average moved. */
  readonly cpuSeconds: number
}

export interface InARow {
  readonly exchanges: number
  readonly vectorBytes: number
  readonly seconds: number
  readonly medianMs: number
  readonly longestMs: number
}

const NEAR = 1e-3
const MOST_SWEEPS = 12
const PROCESS_BYTES = 150e6

export interface Setting {
  readonly sites: number
  readonly size: number
  readonly codec: Codec | 'auto'
  readonly folder: string
}

/** Averages by the exponential rule until all are within 1e-3, then moves the same bytes over bare streams between the same processes. */
export async function measureAverage (setting: Setting): Promise<{ average: Average, libp2p: Baseline, tcp: Baseline }> {
  return await withFleet(setting, async (members) => {
    const average = await averageOnce(members, setting)
    const bytes = Math.ceil(average.bytes / members.length)
    return { average, libp2p: await measureBare(members, 'libp2p', bytes), tcp: await measureBare(members, 'tcp', bytes) }
  })
}

async function averageOnce (members: readonly Member[], { size }: Setting): Promise<Average> {
  const sweeps: Sweep[] = []
  let farthest = Infinity
  while (!(farthest <= NEAR) && sweeps.length < MOST_SWEEPS) {
    sweeps.push(await sweepOnce(members))
    // The check draws all vectors again: it is no part of what is measured.
    farthest = Math.max(...await Promise.all(members.map(async ({ worker }) => (await worker.call('distance', null)).relative)))
  }
  const sum = (of: (sweep: Sweep) => number): number => sweeps.reduce((total, sweep) => total + of(sweep), 0)
  const [seconds, bytes] = [sum((sweep) => sweep.seconds), sum((sweep) => sweep.bytes)]
  return {
    seconds,
    steps: sweeps.length * stepsOf(members),
    exchanges: sum((sweep) => sweep.exchanges),
    bytes,
    bytesPerSecond: bytes / seconds,
    cpuSeconds: sum((sweep) => sweep.cpuSeconds),
    farthest,
    peakBytesPerSite: Math.max(...sweeps.map(({ peakBytes }) => peakBytes)),
    allowedBytesPerSite: 16 * size + PROCESS_BYTES
  }
}

interface Sweep {
  readonly seconds: number
  readonly exchanges: number
  readonly bytes: number
  readonly cpuSeconds: number
  readonly peakBytes: number
}

function stepsOf (members: readonly Member[]): number {
  return Math.log2(members.length)
}

/** The exponential rule: in step k site i exchanges with i XOR 2^k, as soon as both have done step k − 1; the lower one initiates. */
async function sweepOnce (members: readonly Member[]): Promise<Sweep> {
  const before = await usage(members)
  const begun = performance.now()
  const exchanged: { bytes: number }[] = []
  let done: Promise<unknown>[] = members.map(async () => {})
  for (let step = 0; step < stepsOf(members); step++) {
    const earlier = done
    const pairs = members.map((_, index) => index).filter((index) => index < (index ^ 1 << step))
    const now = [...earlier]
    for (const index of pairs) {
      const other = index ^ 1 << step
      now[index] = now[other] = Promise.all([earlier[index], earlier[other]]).then(async () => {
        exchanged.push(await members[index]!.worker.call('exchange', { peerId: members[other]!.peerId }))
      })
    }
    done = now
  }
  await Promise.all(done)
  const seconds = (performance.now() - begun) / 1e3
  const after = await usage(members)
  return {
    seconds,
    exchanges: exchanged.length,
    bytes: exchanged.reduce((sum, { bytes }) => sum + bytes, 0),
    cpuSeconds: cpuBetween(before, after),
    peakBytes: Math.max(...after.map(({ peakBytes }) => peakBytes))
  }
}

function cpuBetween (before: readonly Usage[], after: readonly Usage[]): number {
  return after.reduce((sum, { cpuMs }, index) => sum + cpuMs - before[index]!.cpuMs, 0) / 1e3
}

async function usage (members: readonly Member[]): Promise<Usage[]> {
  return await Promise.all(members.map(async ({ worker }) => await worker.call('usage', null)))
}

/** `bytes` each way over one stream per pair: half of the processes listen, the other half dial. */
async function measureBare (members: readonly Member[], kind: 'libp2p' | 'tcp', bytes: number): Promise<Baseline> {
  const pairs = Array.from({ length: members.length / 2 }, (_, index) => [members[2 * index]!.worker, members[2 * index + 1]!.worker] as const)
  const addresses = await Promise.all(pairs.map(async ([listener]) => (await listener.call('listen', { kind, bytes })).address))
  const swap = async (index: number): Promise<void> => { await pairs[index]![1].call('swap', { kind, address: addresses[index]!, bytes }) }
  const before = await usage(members)
  const all = await timed(async () => { await Promise.all(pairs.map(async (_, index) => { await swap(index) })) })
  const cpuSeconds = cpuBetween(before, await usage(members))
  const solo = await timed(async () => { await swap(0) })
  return { bytesPerSecond: 2 * bytes * pairs.length / all, soloBytesPerSecond: 2 * bytes / solo, cpuSeconds }
}

async function timed (work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1e3
}

/** Two sites exchange again and again, with the log's records and the checkpoints that empty it. */
export async function measureInARow ({ exchanges, size, codec, folder }: { exchanges: number, size: number, codec: Codec | 'auto', folder: string }): Promise<InARow> {
  return await withFleet({ sites: 2, size, codec, folder }, async ([one, other]) => {
    const times: number[] = []
    const seconds = await timed(async () => {
      for (let i = 0; i < exchanges; i++) times.push((await one!.worker.call('exchange', { peerId: other!.peerId })).ms)
    })
    times.sort((a, b) => a - b)
    return { exchanges, vectorBytes: 4 * size, seconds, medianMs: times[times.length >> 1]!, longestMs: times.at(-1)! }
  })
}
