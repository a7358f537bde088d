import type { Codec } from '../../src/gossip-aggregation/codecs/codec.ts'
import { MOST_IN_LOG } from '../../src/rounds/checkpoint.ts'
import { withFleet, type Member } from './fleet.ts'
import type { BareCalls, Kind, Usage } from './messages.ts'
import { Worker } from './worker.ts'

/** The mean of several. */
export interface Average {
  readonly seconds: number
  /** Steps of the exponential rule until every site was near enough. */
  readonly steps: number
  readonly exchanges: number
  /** Both directions, all pairs. */
  readonly bytes: number
  readonly bytesPerSecond: number
  readonly cpuSeconds: number
  /** The site farthest from the true mean, relative to the mean's norm; in the worst average. */
  readonly farthest: number
  /** Of the process since it started. */
  readonly peakBytesPerSite: number
  /** x and three more vectors of 4·P bytes, and 150 MB. */
  readonly allowedBytesPerSite: number
}

export interface Baseline {
  /** As many process pairs at once as the exchanges had. */
  readonly bytesPerSecond: number
  /** One pair alone. */
  readonly soloBytesPerSecond: number
  /** Of all processes, for as many bytes as one average moved. */
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
/**
 * Averages before the first that is measured, of bare streams too: daemons run for weeks, and new processes spend these on compiling
 * and on memory that they keep.
 */
const WARM_UP = 3

export interface Setting {
  readonly sites: number
  readonly size: number
  readonly codec: Codec | 'auto'
  readonly folder: string
}

/**
 * Averages by the exponential rule until all are within 1e-3, again and again; then moves the same bytes over bare streams between as
 * many processes, as often.
 */
export async function measureAverage (
  setting: Setting
): Promise<{ average: Average, libp2p: Baseline, libp2pFitted: Baseline, tcp: Baseline }> {
  const average = await withFleet(setting, async (members) => await averageAgain(members, setting))
  const bytes = Math.ceil(average.bytes / setting.sites)
  const bare = async (kind: Kind, fitted = false): Promise<Baseline> =>
    await measureBare({ kind, fitted, count: setting.sites / 2, bytes, times: timesOf(setting), size: setting.size })
  return { average, libp2p: await bare('libp2p'), libp2pFitted: await bare('libp2p', true), tcp: await bare('tcp') }
}

/**
 * Averages to measure: so many that every site saves a checkpoint, which empties its log, within them, as it does after as many
 * exchanges in a daemon.
 */
function timesOf ({ sites }: Pick<Setting, 'sites'>): number {
  return Math.ceil(MOST_IN_LOG / stepsOf(sites))
}

/** Each from the sites' own vectors, which are drawn anew outside what is measured. */
async function averageAgain (members: readonly Member[], setting: Setting): Promise<Average> {
  for (let i = 0; i < WARM_UP; i++) await sweepOnce(members)
  const times = timesOf(setting)
  const averages: { sweeps: Sweep[], farthest: number }[] = []
  for (let i = 0; i < times; i++) {
    await Promise.all(members.map(async ({ worker }) => await worker.call('draw', null)))
    averages.push(await averageOnce(members))
  }
  const sweeps = averages.flatMap((average) => average.sweeps)
  const mean = (of: (sweep: Sweep) => number): number => sweeps.reduce((total, sweep) => total + of(sweep), 0) / times
  const [seconds, bytes] = [mean((sweep) => sweep.seconds), mean((sweep) => sweep.bytes)]
  return {
    seconds,
    steps: sweeps.length * stepsOf(setting.sites) / times,
    exchanges: mean((sweep) => sweep.exchanges),
    bytes,
    bytesPerSecond: bytes / seconds,
    cpuSeconds: mean((sweep) => sweep.cpuSeconds),
    farthest: Math.max(...averages.map(({ farthest }) => farthest)),
    peakBytesPerSite: Math.max(...sweeps.map(({ peakBytes }) => peakBytes)),
    allowedBytesPerSite: 16 * setting.size + PROCESS_BYTES
  }
}

async function averageOnce (members: readonly Member[]): Promise<{ sweeps: Sweep[], farthest: number }> {
  const sweeps: Sweep[] = []
  let farthest = Infinity
  while (!(farthest <= NEAR) && sweeps.length < MOST_SWEEPS) {
    sweeps.push(await sweepOnce(members))
    // The check draws all vectors again: it is no part of what is measured.
    farthest = Math.max(...await Promise.all(members.map(async ({ worker }) => (await worker.call('distance', null)).relative)))
  }
  return { sweeps, farthest }
}

interface Sweep {
  readonly seconds: number
  readonly exchanges: number
  readonly bytes: number
  readonly cpuSeconds: number
  readonly peakBytes: number
}

function stepsOf (sites: number): number {
  return Math.log2(sites)
}

/** The exponential rule: in step k site i exchanges with i XOR 2^k, as soon as both have done step k − 1; the lower one initiates. */
async function sweepOnce (members: readonly Member[]): Promise<Sweep> {
  const before = await usage(members)
  const begun = performance.now()
  const exchanged: { bytes: number }[] = []
  let done: Promise<unknown>[] = members.map(async () => {})
  for (let step = 0; step < stepsOf(members.length); step++) {
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

interface Pair {
  readonly workers: readonly [Worker<BareCalls>, Worker<BareCalls>]
  readonly swap: () => Promise<void>
}

/** `bytes` each way over one stream per pair of processes, so many `times`: one listens, one dials. */
async function measureBare (
  { kind, fitted, count, bytes, times, size }: { kind: Kind, fitted: boolean, count: number, bytes: number, times: number, size: number }
): Promise<Baseline> {
  const pairs = await Promise.all(Array.from({ length: count }, async () => await openPair(kind, bytes)))
  const workers = pairs.flatMap((pair) => pair.workers)
  const cpu = async (): Promise<Usage[]> => await Promise.all(workers.map(async (worker) => await worker.call('usage', null)))
  const swapAll = async (): Promise<void> => { await Promise.all(pairs.map(async ({ swap }) => { await swap() })) }
  try {
    if (fitted) await Promise.all(workers.map(async (worker) => await worker.call('fit', null)))
    for (let i = 0; i < WARM_UP; i++) await swapAll()
    let [seconds, cpuSeconds] = [0, 0]
    for (let i = 0; i < times; i++) {
      // Outside what is measured, as with the sites: what it makes the collector do, it does for both.
      await Promise.all(workers.map(async (worker) => await worker.call('draw', { size })))
      const before = await cpu()
      seconds += await timed(swapAll)
      cpuSeconds += cpuBetween(before, await cpu())
    }
    const solo = await timed(pairs[0]!.swap)
    return { bytesPerSecond: 2 * bytes * count * times / seconds, soloBytesPerSecond: 2 * bytes / solo, cpuSeconds: cpuSeconds / times }
  } finally {
    await Promise.all(workers.map(async (worker) => { await worker.stop() }))
  }
}

async function openPair (kind: Kind, bytes: number): Promise<Pair> {
  const [listener, dialler] = [new Worker<BareCalls>({ entry: 'bare-worker' }), new Worker<BareCalls>({ entry: 'bare-worker' })]
  const { address } = await listener.call('listen', { kind, bytes })
  return { workers: [listener, dialler], swap: async () => { await dialler.call('swap', { kind, address, bytes }) } }
}

async function timed (work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1e3
}

/** Two sites exchange again and again, with the log's records and the checkpoints that empty it. */
export async function measureInARow (
  { exchanges, ...setting }: Omit<Setting, 'sites'> & { exchanges: number, relayed?: boolean }
): Promise<InARow> {
  return await withFleet({ sites: 2, ...setting }, async ([one, other]) => {
    const times: number[] = []
    const seconds = await timed(async () => {
      for (let i = 0; i < exchanges; i++) times.push((await one!.worker.call('exchange', { peerId: other!.peerId })).ms)
    })
    times.sort((a, b) => a - b)
    return { exchanges, vectorBytes: 4 * setting.size, seconds, medianMs: times[times.length >> 1]!, longestMs: times.at(-1)! }
  })
}
