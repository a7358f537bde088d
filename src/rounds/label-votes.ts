import { mean } from '../common/mean.ts'
import type { LabelFits, LabelPair } from '../settings/labels.ts'

/** Two values that this site has the other way round than others, by how the federation's model agrees with the masks of each. */
export interface LabelVote {
  readonly values: LabelPair
  /** Peer ids of those on the same side as this site, and on the other one. */
  readonly alike: readonly string[]
  readonly unlike: readonly string[]
}

/** More pairs are suspected by liars alone. */
const MOST_PAIRS = 64
/** Of the way from one side's mean to the other's, from its own side; half-way nobody knows. */
const NEAR = 1 / 3

interface Dispute {
  readonly values: LabelPair
  /** By site, whom it disagreed with. */
  readonly unlike: Map<string, Set<string>>
  /** By site, the sum of what it said since the first disagreement, 1 exchanged, -1 as is, 0 neither, and how often. */
  readonly said: Map<string, { sum: number, times: number }>
}

/**
 * Which sites disagreed with each other over which two values, in any round. The model says only that they do: it may have learnt either
 * way, first the one whose class is easier, and later each site's by how its images look. So what was seen once stays, and the sites of
 * the smaller side are those that look swapped. Who never disagreed with anybody belongs to the side that it comes near in the mean.
 */
export class LabelVotes {
  readonly #self: string
  /** By pair. */
  readonly #disputes = new Map<string, Dispute>()

  constructor (self: string) {
    this.#self = self
  }

  /** Takes in how it is at present; where this site disagrees with another, directly or by what others disagree in. */
  take (own: LabelFits, theirs: ReadonlyMap<string, LabelFits>): LabelVote[] {
    const all = new Map([...theirs, [this.#self, own]])
    for (const values of [...all.values()].flatMap(({ exchanged }) => exchanged)) {
      const on = (wanted: keyof LabelFits): string[] => [...all].filter(([, fits]) => fits[wanted].some((pair) => isSame(pair, values)))
        .map(([id]) => id)
      this.#note(values, on('exchanged'), on('asIs'))
    }
    return [...this.#disputes.values()].flatMap((dispute): LabelVote[] => {
      for (const [id, fits] of all) add(dispute, id, wordOf(fits, dispute.values))
      const { alike, unlike } = sidesFrom(this.#self, dispute)
      return unlike.length === 0 ? [] : [{ values: dispute.values, alike, unlike }]
    })
  }

  #note (values: LabelPair, exchanged: readonly string[], asIs: readonly string[]): void {
    const key = [...values].sort((a, b) => a - b).join()
    if (exchanged.length === 0 || asIs.length === 0 || (this.#disputes.size >= MOST_PAIRS && !this.#disputes.has(key))) return
    const { unlike } = getOrAdd(this.#disputes, key, (): Dispute => ({ values, unlike: new Map(), said: new Map() }))
    for (const [some, rest] of [[exchanged, asIs], [asIs, exchanged]] as const) {
      for (const id of some) rest.forEach((other) => getOrAdd(unlike, id, () => new Set<string>()).add(other))
    }
  }
}

function add ({ said }: Dispute, id: string, word: number): void {
  const of = getOrAdd(said, id, () => ({ sum: 0, times: 0 }))
  of.sum += word
  of.times++
}

function wordOf ({ exchanged, asIs }: LabelFits, values: LabelPair): number {
  const has = (pairs: readonly LabelPair[]): boolean => pairs.some((pair) => isSame(pair, values))
  return has(exchanged) ? 1 : has(asIs) ? -1 : 0
}

/** Who disagrees with whom puts those who can be reached on two sides; the first word about a site counts. */
function sidesFrom (self: string, { unlike, said }: Dispute): { alike: string[], unlike: string[] } {
  const side = new Map([[self, true]])
  // A map goes on to what is added while it is walked through.
  for (const [id, isAlike] of side) {
    for (const other of unlike.get(id) ?? []) if (!side.has(other)) side.set(other, !isAlike)
  }
  const on = (wanted: boolean): string[] => [...side].filter(([, isAlike]) => isAlike === wanted).map(([id]) => id)
  const near = nearest(said, on(true), on(false))
  return { alike: [...on(true).filter((id) => id !== self), ...near.alike], unlike: [...on(false), ...near.unlike] }
}

/** Those on neither side that come near one of them in the mean. */
function nearest (said: Dispute['said'], alike: readonly string[], unlike: readonly string[]): { alike: string[], unlike: string[] } {
  const meanOf = ({ sum, times }: { sum: number, times: number } = { sum: 0, times: 1 }): number => sum / times
  const wordsOf = (ids: readonly string[]): number => mean(ids.map((id) => meanOf(said.get(id))))
  const [from, to] = [wordsOf(alike), wordsOf(unlike)]
  const rest = from === to ? [] : [...said.keys()].filter((id) => !alike.includes(id) && !unlike.includes(id))
  const way = (id: string): number => (wordsOf([id]) - from) / (to - from)
  return { alike: rest.filter((id) => way(id) < NEAR), unlike: rest.filter((id) => way(id) > 1 - NEAR) }
}

/** What a person at this site should know of it. */
export function describeVote ({ values: [a, b], alike, unlike }: LabelVote): string {
  const labels = `labels ${a} and ${b}`
  const advice = 'by how the federation\'s model fits the masks of each; look at the masks, and say in labels.json beside the data what ' +
    'each value is'
  const [here, there] = [alike.length + 1, unlike.length]
  if (here < there) return `${labels} look swapped at this site: at ${others(there)} they are the other way round, ${advice}`
  if (here > there) {
    const alsoThere = alike.length > 0 ? ` and at ${others(alike.length)}` : ''
    return `${labels} look swapped at ${unlike.join(', ')}: here${alsoThere} they are the other way round`
  }
  return `${labels} are the other way round at this site than at ${unlike.join(', ')}: one side has them swapped, ${advice}`
}

function others (count: number): string {
  return count === 1 ? 'one other' : `${count} others`
}

function isSame ([a, b]: LabelPair, [c, d]: LabelPair): boolean {
  return (a === c && b === d) || (a === d && b === c)
}

function getOrAdd<K, V> (map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}
