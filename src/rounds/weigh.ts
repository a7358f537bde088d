import { median } from '../common/median.ts'
import { heardFacts, type Facts } from '../gossip-aggregation/facts.ts'
import { partFactor, partsOf, refinedParts, type SiteParts } from '../gossip-aggregation/mixing/generalisation.ts'
import { robustFactor, type Weighed } from '../gossip-aggregation/mixing/robust.ts'
import { factSpecs, selects, SITE_VECTOR, type FactSections } from '../settings/facts.ts'
import { learnsThreshold } from '../settings/training.ts'
import type { TrainWork } from './trainer-messages.ts'

/** What the site announces from now on, by what its trainer said, and by how much it scales what it trained; in round `at`. */
export type Weigh = (said: Facts, at: number) => {
  readonly facts: Facts,
  readonly factor: number | undefined,
  /** Which part each site has from now on, by site; only where the method has it. */
  readonly parts?: SiteParts
}

/** What the others announced, as it came, by site. */
type Heard = ReadonlyMap<string, Float32Array | undefined>

export interface WeighingInit {
  readonly settings: FactSections
  /** Of this site. */
  readonly mass: number
  /** Of the federation. */
  readonly rounds: number
  readonly heard: (at: number) => Heard
  /** As they were before a restart. */
  readonly parts?: SiteParts | undefined
}

/** This site among the parts of all: no other one is called so. */
const SELF = 'self'

/** How sites of a federation weigh what they train (docs/spec/mixing.md#landing-factor); undefined where they do not. */
export function weighing (init: WeighingInit): Weigh | undefined {
  const { settings, mass, heard } = init
  const { robust, generalisation } = settings.method ?? {}
  const specs = factSpecs(settings)
  if (specs.length === 0) return undefined
  const withMass = (said: Facts): Facts => ({ ...said, mass: Float32Array.of(mass) })
  if (generalisation != null) {
    const byParts = new PartKeeper(init, generalisation.step)
    return (said, at) => ({ facts: withMass(said), ...byParts.weigh(said, at) })
  }
  return (said, at) => {
    const facts = withMass(said)
    if (robust == null) return { facts, factor: undefined }
    const own = weighedBy(facts)
    const others = [...heard(at).values()].map((values) => weighedBy(heardFacts(specs, values)))
    return { facts, factor: own == null ? 1 : robustFactor(own, others, robust) }
  }
}

/** A site's parts of all sites, from round to round (docs/spec/mixing.md#generalisation). */
class PartKeeper {
  readonly #init: WeighingInit
  readonly #step: number
  #parts: SiteParts | undefined
  #refinedIn = -1

  constructor (init: WeighingInit, step: number) {
    this.#init = init
    this.#step = step
    this.#parts = init.parts
  }

  /** Equal parts are used before they are refined, others after; what is made up for within a round refines nothing. */
  weigh (said: Facts, at: number): { readonly factor: number, readonly parts: SiteParts } {
    const { settings, mass, rounds, heard } = this.#init
    const specs = factSpecs(settings)
    const others = [...heard(at)].map(([site, values]): [string, Facts | undefined] => [site, heardFacts(specs, values)])
    const isFirst = this.#parts == null
    const before = partsOf([SELF, ...others.map(([site]) => site)], this.#parts)
    const gaps: Readonly<Record<string, number | undefined>> = Object.fromEntries([
      [SELF, said['gap']?.[0]] as const,
      ...others.map(([site, facts]) => [site, facts?.['gap']?.[0]] as const)
    ])
    const step = at > this.#refinedIn ? this.#step * Math.max(0, 1 - at / rounds) : 0
    const after = refinedParts(before, gaps, step)
    this.#parts = after
    this.#refinedIn = Math.max(at, this.#refinedIn)
    const used = isFirst ? before : after
    const factor = partFactor(used[SELF]!, mass, others.map(([, facts]) => facts?.['mass']?.[0]))
    return { factor: others.length === 0 ? 1 : factor, parts: after }
  }
}

/** What a phase goes by of what all sites announce, where the method asks it. */
export function toldBy (settings: FactSections, own: number, heard: Heard): Pick<TrainWork, 'masses' | 'threshold' | 'siteVectors'> {
  const [masses, threshold, siteVectors] = [massesOf(settings, own, heard), thresholdOf(settings, heard), siteVectorsOf(settings, heard)]
  return {
    ...(masses == null ? {} : { masses }),
    ...(threshold == null ? {} : { threshold }),
    ...(siteVectors == null ? {} : { siteVectors })
  }
}

/** What this site and all of them count for, by what is announced; undefined where the method does not ask it, or nobody else is there. */
function massesOf (settings: FactSections, own: number, heard: Heard): TrainWork['masses'] {
  if (settings.method?.units == null) return undefined
  const specs = factSpecs(settings)
  const known = [...heard.values()].map((values) => heardFacts(specs, values)?.['mass']?.[0])
  const middle = median([own, ...known.filter((each) => each != null)])
  return known.length === 0 ? undefined : { own, all: known.reduce<number>((sum, each) => sum + (each ?? middle), own) }
}

/** The median of the others' that have one of their own; undefined where the method does not ask it, or none has. */
export function thresholdOf (settings: FactSections, heard: Heard): number | undefined {
  if (!learnsThreshold(settings.training)) return undefined
  const specs = factSpecs(settings)
  const known = [...heard.values()].map((values) => heardFacts(specs, values)?.['threshold']?.[0] ?? 0).filter((each) => each > 0)
  return known.length === 0 ? undefined : median(known)
}

/**
 * Vectors of the other sites, in order of their ids, where the method asks it; who announced none has none. They are claims: a member may
 * say any, and what it says is bounded and decides only whom others differ from.
 */
export function siteVectorsOf (settings: FactSections, heard: Heard): readonly Float32Array[] | undefined {
  if (!selects(settings.method)) return undefined
  const specs = factSpecs(settings)
  const ids = [...heard.keys()].sort()
  return ids.flatMap((id) => heardFacts(specs, heard.get(id))?.[SITE_VECTOR] ?? [])
}

function weighedBy (facts: Facts | undefined): Weighed | undefined {
  const [loss, mass] = [facts?.['loss']?.[0], facts?.['mass']?.[0]]
  return loss == null || mass == null ? undefined : { loss, mass }
}
