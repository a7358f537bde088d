import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readAccount } from '../../../src/audit/account.ts'
import { relativeDistance } from '../../../src/gossip-aggregation/consensus.ts'
import type { ReaderReport } from '../report/report.ts'
import type { Children } from './children.ts'
import { readHome, type HomeResult } from './homes.ts'
import type { HospitalProcess } from './hospital-process.ts'
import type { Hospital } from './hospitals.ts'

const POLL_MS = 200

/** So many more hospitals, which have the images of the first ones, and are to have no labels. */
export function planReaders (hospitals: readonly Hospital[], count: number, homes: string): Hospital[] {
  return Array.from({ length: count }, (_, index) => {
    const { data, from } = hospitals[index % hospitals.length]!
    const name = `reader-${index + 1}`
    const home = resolve(homes, name)
    return { index: hospitals.length + index, name, data, from, home, log: `${home}.log` }
  })
}

/** Starts them once the others have trained a round and exchanged. */
export async function startReaders (
  readers: readonly HospitalProcess[],
  others: readonly HospitalProcess[],
  signal: AbortSignal
): Promise<void> {
  const isRunning = ({ status }: HospitalProcess): boolean => status != null && status.round > 1 && status.exchanges > 0
  while (readers.length > 0 && !others.every(isRunning)) {
    if (signal.aborted || others.some(({ isOver }) => isOver)) break
    await delay(POLL_MS)
  }
  for (const reader of readers) reader.start()
}

/** What became of one: what it read, whether it makes masks, and what the others' ledgers say of it. */
export async function describeReader (
  children: Children,
  { hospital: { name, home, data }, exitCode }: HospitalProcess,
  others: readonly Hospital[]
): Promise<ReaderReport> {
  const { summary, ...own } = await readHome(home)
  const peerId = summary?.peerId ?? null
  return {
    name,
    peerId,
    rounds: summary?.rounds ?? 0,
    reads: summary?.exchanges ?? 0,
    hasDice: summary?.dice != null,
    distance: nearestOf(own, await finalsOf(others)),
    masks: exitCode === 0 ? await masksOf(children, home, data) : 0,
    stepsTaken: peerId == null ? 0 : await stepsTold(peerId, others),
    exitCode
  }
}

function nearestOf ({ final, initial }: Pick<HomeResult, 'final' | 'initial'>, finals: readonly Float32Array[]): number | null {
  if (final == null || initial == null || finals.length === 0) return null
  return Math.min(...finals.map((each) => relativeDistance([final, each], initial)))
}

async function finalsOf (others: readonly Hospital[]): Promise<Float32Array[]> {
  const finals: Float32Array[] = []
  for (const { home } of others) finals.push(...[(await readHome(home)).final].filter((each) => each != null))
  return finals
}

/** Of its images, by its own model. */
async function masksOf (children: Children, home: string, data: string): Promise<number> {
  const names = await readdir(data)
  const images = join(data, names.includes('imagesTr') ? 'imagesTr' : 'images')
  const out = `${home}.masks`
  const { images: masks } = await children.cliJson<{ images: unknown[] }>(['predict', '--home', home, '--image', images, '--out', out])
  return masks.length
}

/** Steps of the others that their ledgers say have arrived at it, or its own at them. */
async function stepsTold (reader: string, others: readonly Hospital[]): Promise<number> {
  let steps = 0
  for (const { home } of others) {
    for (const each of (await readAccount(home)).account.exchanges.values()) {
      if (each.partner === reader) steps += (each.steps ?? 0) + (each.partnerSteps ?? 0)
    }
  }
  return steps
}
