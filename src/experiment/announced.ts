import { drained } from '../common/slices.ts'
import { releaseFacts } from '../gossip-aggregation/facts.ts'
import { massOf } from '../gossip-aggregation/mass.ts'
import type { PhaseArgs } from '../model/train/learner-args.ts'
import { siteClusters } from '../rounds/site-clusters.ts'
import { siteVectorsOf, thresholdOf, weighing, type Weigh } from '../rounds/weigh.ts'
import { factSpecs, type FactSections } from '../settings/facts.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import { clustersIn } from '../settings/method.ts'
import type { GossipClusters } from './gossip-mixer.ts'
import type { TrainedSite } from './site-model.ts'

function idOf (site: number): string {
  return String(site).padStart(6, '0')
}

interface AnnouncedInit extends Pick<FactSections, 'method'> {
  readonly averaging: FederationSettings['averaging']
  readonly train: FactSections['training']
  /** Of the run. */
  readonly rounds: number
}

/** What the sites of a run announce, and what each of them makes of it, as its daemon would. */
export class Announced {
  readonly #models: readonly TrainedSite[]
  readonly #settings: FactSections
  readonly #masses: readonly number[]
  readonly #weigh: readonly (Weigh | undefined)[]

  constructor ({ averaging, method, train, rounds }: AnnouncedInit, models: readonly TrainedSite[]) {
    this.#models = models
    const settings = this.#settings = { averaging, method, training: train }
    const masses = this.#masses = models.map(({ samples }) => massOf(samples.length, averaging))
    this.#weigh = models.map((_, site) => weighing({ settings, mass: masses[site]!, rounds, heard: () => this.#heard(site) }))
  }

  /** What a phase of a site goes by, where the method asks it. */
  told (site: number): Pick<PhaseArgs, 'masses' | 'threshold' | 'siteVectors'> {
    const heard = this.#heard(site)
    const [threshold, siteVectors] = [thresholdOf(this.#settings, heard), siteVectorsOf(this.#settings, heard)]
    const all = this.#masses.reduce((sum, each) => sum + each, 0)
    return {
      ...(this.#settings.method?.units == null ? {} : { masses: { own: this.#masses[site]!, all } }),
      ...(threshold == null ? {} : { threshold }),
      ...(siteVectors == null ? {} : { siteVectors })
    }
  }

  /** By how much each site scales what it trained in `round`, from 1; undefined where the method does not. */
  factors (round: number): readonly number[] | undefined {
    const factors = this.#models.map(({ facts }, site) => this.#weigh[site]?.(facts ?? {}, round - 1).factor)
    return factors.every((factor) => factor != null) ? factors : undefined
  }

  /** Where the method has clusters: what each site makes of what all announce. */
  get clusters (): GossipClusters | undefined {
    const own = clustersIn(this.#settings.method)?.own
    if (own == null) return undefined
    return {
      own,
      of: (site, nameOf) => siteClusters(this.#settings, {
        self: nameOf(site),
        own: () => this.#models[site]!.facts,
        heard: () => this.#heard(site, nameOf),
        drive: drained
      })!
    }
  }

  /** Of each site, the group that it takes itself to be in, from 0; undefined where the method has no clusters. */
  get groups (): readonly number[] | undefined {
    const { clusters } = this
    if (clusters == null) return undefined
    const ids = this.#models.map((_, site) => idOf(site))
    const found = ids.map((id, site) => (clusters.of(site, idOf).members ?? [id]).join())
    return found.map((members) => found.indexOf(members))
  }

  #heard (self: number, nameOf = idOf): Map<string, Float32Array | undefined> {
    const specs = factSpecs(this.#settings)
    return new Map(this.#models.flatMap(({ facts }, site) => {
      if (site === self) return []
      const said = facts == null ? undefined : { ...facts, mass: Float32Array.of(this.#masses[site]!) }
      return [[nameOf(site), said == null ? undefined : releaseFacts(specs, said)?.values] as const]
    }))
  }
}
