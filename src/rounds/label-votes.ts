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

/**
 * Which sites disagreed with each other over which two values, in any round. The model says only that they do: it may have learnt either
 * way, first the one whose class is easier, and later each site's by how its images look. So what was seen once stays, and the sites of
 * the smaller side are those that look swapped.
 */
export class LabelVotes {
  readonly #self: string
  /** By pair, then by site. */
  readonly #unlike = new Map<string, { readonly values: LabelPair, readonly of: Map<string, Set<string>> }>()

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
    return [...this.#unlike.values()].flatMap(({ values, of }): LabelVote[] => {
      const { alike, unlike } = sidesFrom(this.#self, of)
      return unlike.length === 0 ? [] : [{ values, alike, unlike }]
    })
  }

  #note (values: LabelPair, exchanged: readonly string[], asIs: readonly string[]): void {
    const key = [...values].sort((a, b) => a - b).join()
    if (exchanged.length === 0 || asIs.length === 0 || (this.#unlike.size >= MOST_PAIRS && !this.#unlike.has(key))) return
    const { of } = getOrAdd(this.#unlike, key, () => ({ values, of: new Map<string, Set<string>>() }))
    for (const [some, rest] of [[exchanged, asIs], [asIs, exchanged]] as const) {
      for (const id of some) rest.forEach((other) => getOrAdd(of, id, () => new Set<string>()).add(other))
    }
  }
}

/** Who disagrees with whom puts those who can be reached on two sides; the first word about a site counts. */
function sidesFrom (self: string, unlike: ReadonlyMap<string, ReadonlySet<string>>): { alike: string[], unlike: string[] } {
  const side = new Map([[self, true]])
  // A map goes on to what is added while it is walked through.
  for (const [id, isAlike] of side) {
    for (const other of unlike.get(id) ?? []) if (!side.has(other)) side.set(other, !isAlike)
  }
  side.delete(self)
  const on = (wanted: boolean): string[] => [...side].filter(([, isAlike]) => isAlike === wanted).map(([id]) => id)
  return { alike: on(true), unlike: on(false) }
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
