import { readFile } from 'node:fs/promises'
import { readFloatTensors } from '../../src/adapter/safetensors.ts'
import { DiskExchangeLog } from '../../src/home/exchange-log.ts'
import type { SitePaths } from '../../src/home/paths.ts'

interface StoppedSite {
  readonly paths: SitePaths
  readonly peerId: string
  /** What a round of its training adds to each number. */
  readonly step: number
}

type Logs = ReadonlyMap<string, DiskExchangeLog>

/**
 * What training added to the numbers of stopped sites of equal mass, and by how much they grew, in the mean of all: the same, whatever
 * they exchanged.
 */
export async function readGains (sites: readonly StoppedSite[]): Promise<[trained: number, gained: number]> {
  const logs = new Map<string, DiskExchangeLog>()
  for (const { paths, peerId } of sites) logs.set(peerId, await DiskExchangeLog.open(paths.exchanges))
  try {
    const [trained, gained]: [number[], number[]] = [[], []]
    for (const { paths, peerId, step } of sites) {
      const [now, first] = [readFloatTensors(await readFile(paths.adapter)), readFloatTensors(await readFile(paths.initialAdapter))]
      const { included } = JSON.parse(now.metadata['notes'] ?? '{"included":[]}') as { included: readonly string[] }
      trained.push(step * Number(now.metadata['round']))
      gained.push(meanOf(now) - meanOf(first) + await exchanged(peerId, logs, new Set(included)))
    }
    return [mean(trained), mean(gained)]
  } finally {
    for (const log of logs.values()) await log.close()
  }
}

/** By exchanges since the checkpoint; one that the site is in doubt of counts as its partner decided, which is what the site will learn. */
async function exchanged (peerId: string, logs: Logs, included: ReadonlySet<string>): Promise<number> {
  const log = logs.get(peerId)!
  const settled = log.pending().filter(({ exchangeId, partner }) => logs.get(partner)?.outcome(exchangeId, peerId) === 'committed')
  let sum = 0
  for (const { exchangeId, factor } of [...log.committed(), ...settled]) {
    if (!included.has(exchangeId)) sum += factor * mean([...await log.read(exchangeId)])
  }
  return sum
}

function meanOf ({ tensors }: ReturnType<typeof readFloatTensors>): number {
  return mean([...tensors.values()].flatMap(({ data }) => [...data]))
}

function mean (values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
