import { UsageError } from '../../src/errors.ts'
import type { TestFaultsInput } from '../../src/node/test-faults/settings.ts'

/** Sites of the two groups do not connect while a site of the second is in the rounds from … to. */
export interface Partition {
  readonly groups: readonly [readonly number[], readonly number[]]
  readonly from: number
  readonly to: number
}

/** What hospitals suffer all the time; faults.ts has what strikes once. */
export interface Conditions {
  readonly loss: number
  /** Factor by hospital. */
  readonly slow: ReadonlyMap<number, number>
  /** By hospital, how many times its training images it has. */
  readonly images: ReadonlyMap<number, number>
  readonly liars: ReadonlySet<number>
  /** Hospitals whose masks have the two classes' values exchanged. */
  readonly swapped: ReadonlySet<number>
  readonly partitions: readonly Partition[]
}

const LIAR_NOISE = 10
const MOST_SLOW = 1_000
const MOST_IMAGES = 100

/** `--loss P`. @throws UsageError. */
export function parseLoss (value: number): number {
  if (value >= 0 && value < 1) return value
  throw new UsageError('--loss must be a probability from 0 to below 1, for example 0.05')
}

/** `--slow SITE:FACTOR`. @throws UsageError. */
export function parseSlow (text: string, hospitals: number): [site: number, factor: number] {
  const match = /^(\d+):(\d+(?:\.\d+)?)$/.exec(text)
  const factor = Number(match?.[2])
  if (match == null || factor < 1 || factor > MOST_SLOW) {
    throw new UsageError(`--slow ${text} must be SITE:FACTOR with a factor from 1 to ${MOST_SLOW}, for example 1:9`)
  }
  return [siteOf(match[1]!, `--slow ${text}`, hospitals), factor]
}

/** `--images SITE:FACTOR`. @throws UsageError. */
export function parseImages (text: string, hospitals: number): [site: number, factor: number] {
  const match = /^(\d+):(\d+)$/.exec(text)
  const factor = Number(match?.[2])
  if (match == null || factor < 2 || factor > MOST_IMAGES) {
    throw new UsageError(`--images ${text} must be SITE:FACTOR with a whole factor from 2 to ${MOST_IMAGES}, for example 1:9`)
  }
  return [siteOf(match[1]!, `--images ${text}`, hospitals), factor]
}

/** `--liar SITE`. @throws UsageError. */
export function parseLiar (text: string, hospitals: number): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`--liar ${text} must be the number of a hospital, for example 3`)
  return siteOf(text, `--liar ${text}`, hospitals)
}

/** `--swapped SITE`, for a federation of both classes. @throws UsageError. */
export function parseSwapped (text: string, hospitals: number, classes: number): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`--swapped ${text} must be the number of a hospital, for example 2`)
  if (classes < 2) throw new UsageError(`--swapped ${text} exchanges the values of two classes: give --classes brain,deep-grey too`)
  return siteOf(text, `--swapped ${text}`, hospitals)
}

/** `--partition A|B@FROM-TO`, for example 0,1|2,3@2-4. @throws UsageError. */
export function parsePartition (text: string, hospitals: number, rounds: number): Partition {
  const flag = `--partition '${text}'`
  const match = /^(\d+(?:,\d+)*)\|(\d+(?:,\d+)*)@(\d+)-(\d+)$/.exec(text)
  if (match == null) throw new UsageError(`${flag} must be A|B@FROM-TO (in quotes), for example '0,1|2,3@2-4'`)
  const group = (list: string): number[] => list.split(',').map((site) => siteOf(site, flag, hospitals))
  const groups = [group(match[1]!), group(match[2]!)] as const
  if (groups[0].some((site) => groups[1].includes(site))) throw new UsageError(`${flag}: a hospital cannot be on both sides`)
  const [from, to] = [Number(match[3]), Number(match[4])]
  if (from < 1 || to < from || to > rounds) throw new UsageError(`${flag}: FROM and TO are rounds from 1 to ${rounds}, FROM first`)
  // The founder is up before the others have keys, so its group is the one that need not know them.
  return { groups: groups[1].includes(0) ? [groups[1], groups[0]] : groups, from, to }
}

/** What one daemon is told about its own faults; undefined when it has none. `peerIds` by hospital. */
export function faultsOf (
  site: number,
  { loss, slow, liars, partitions }: Conditions,
  peerIds: readonly string[],
  seed: number
): TestFaultsInput | undefined {
  const apart = partitions
    .filter(({ groups }) => groups[1].includes(site))
    .map(({ groups, from, to }) => ({ peers: groups[0].map((other) => peerIds[other]!), from, to }))
  const faults = { seed: seed + site, loss, slow: slow.get(site) ?? 1, liar: liars.has(site) ? LIAR_NOISE : 0, apart }
  return loss > 0 || faults.slow > 1 || faults.liar > 0 || apart.length > 0 ? faults : undefined
}

function siteOf (text: string, flag: string, hospitals: number): number {
  const site = Number(text)
  if (site < hospitals) return site
  throw new UsageError(`${flag}: there are the hospitals 0 to ${hospitals - 1}`)
}
