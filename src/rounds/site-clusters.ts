import { createHash } from 'node:crypto'
import { heardFacts, type Facts, type FactSpec } from '../gossip-aggregation/facts.ts'
import { clustersOf, MOST_AFFINITY, type Clusters } from '../gossip-aggregation/mixing/clusters.ts'
import { factSpecs, type FactSections } from '../settings/facts.ts'
import { clustersIn, type ClusterSettings } from '../settings/method.ts'

/** What others announced, as it came, by site. */
type Heard = ReadonlyMap<string, Float32Array | undefined>

export interface SiteClustersInit {
  readonly self: string
  /** What this site announces; undefined as long as it has nothing to say. */
  readonly own: () => Facts | undefined
  /** What the others announced, as it came; of those that count at present. */
  readonly heard: () => Heard
  /** Drives what takes long: at once, or in slices. */
  readonly drive: (slices: Iterator<void, Clusters>) => Clusters | Promise<Clusters>
}

/** Hex digits of a digest. */
const DIGITS = 16

/**
 * Which other sites are like this one, from what all announce: for the scope of an exchange, and for the choice of a partner
 * (docs/spec/mixing.md#clusters). What is asked is answered by what is known; it is reckoned anew as soon as others say something else.
 */
export class SiteClusters {
  readonly #init: SiteClustersInit
  readonly #settings: ClusterSettings
  readonly #specs: readonly FactSpec[]
  #known: Clusters | undefined
  #knownBy = ''
  #seen: { readonly said: Facts | undefined, readonly others: Heard } | undefined
  #isRunning = false

  constructor (settings: ClusterSettings, specs: readonly FactSpec[], init: SiteClustersInit) {
    this.#settings = settings
    this.#specs = specs
    this.#init = init
  }

  /**
   * Digest of the members of this site's cluster where the partner is one of them; undefined where it is not, or this site belongs to none.
   * Whoever is not a member could repeat the digest.
   */
  scopeWith (partner: string): string | undefined {
    const { members } = this
    return members?.includes(partner) !== true ? undefined : createHash('sha256').update(members.join('\n')).digest('hex').slice(0, DIGITS)
  }

  /** Sorted ids of the sites of this site's cluster, with this one; undefined as long as it belongs to none. */
  get members (): readonly string[] | undefined {
    return this.#clusters()?.membersOf(this.#init.self)
  }

  /** How readily this site exchanges with another at present, above 0 to 1; with all alike as long as nothing is known. */
  get affinity (): ((id: string) => number) | undefined {
    const [clusters, { self }] = [this.#clusters(), this.#init]
    return clusters == null ? undefined : (id) => clusters.affinity(self, id) / MOST_AFFINITY
  }

  #clusters (): Clusters | undefined {
    if (this.#isRunning) return this.#known
    const { own, heard } = this.#init
    const [said, others] = [own(), heard()]
    if (this.#isSeen(said, others)) return this.#known
    const facts = this.#facts(said, others)
    const by = hashOf(facts)
    if (by !== this.#knownBy) this.#renew(facts, by)
    return this.#known
  }

  /** Nobody has announced anything since they were looked at last: announcements are never changed in place. */
  #isSeen (said: Facts | undefined, others: Heard): boolean {
    const last = this.#seen
    const isSame = last != null && last.said === said && last.others.size === others.size &&
      [...others].every(([id, values]) => last.others.has(id) && last.others.get(id) === values)
    if (!isSame) this.#seen = { said, others }
    return isSame
  }

  #renew (facts: ReadonlyMap<string, Facts>, by: string): void {
    const took = (clusters: Clusters): void => {
      this.#known = clusters
      this.#knownBy = by
    }
    const driven = this.#init.drive(clustersOf(facts, this.#settings))
    if (!(driven instanceof Promise)) {
      took(driven)
      return
    }
    this.#isRunning = true
    // Of the same facts it would fail again.
    driven.then(took).catch(() => { this.#knownBy = by }).finally(() => { this.#isRunning = false })
  }

  #facts (said: Facts | undefined, heard: Heard): ReadonlyMap<string, Facts> {
    const others = [...heard].flatMap(([id, values]) => {
      const facts = heardFacts(this.#specs, values)
      return facts == null ? [] : [[id, facts] as const]
    })
    return new Map([...others, ...(said?.['centres'] == null ? [] : [[this.#init.self, said] as const])])
  }
}

/** Undefined where the method has no clusters. */
export function siteClusters (settings: FactSections, init: SiteClustersInit): SiteClusters | undefined {
  const clusters = clustersIn(settings.method)
  return clusters == null ? undefined : new SiteClusters(clusters, factSpecs(settings), init)
}

function hashOf (facts: ReadonlyMap<string, Facts>): string {
  const hash = createHash('sha256')
  for (const id of [...facts.keys()].sort()) {
    const { centres, shares, graph } = facts.get(id)!
    hash.update(`${id}\n`)
    for (const values of [centres, shares, graph]) if (values != null) hash.update(values)
  }
  return hash.digest('hex')
}
