import { median } from '../common/median.ts'
import { heardFacts, type Facts } from '../gossip-aggregation/facts.ts'
import { robustFactor, type Weighed } from '../gossip-aggregation/mixing/robust.ts'
import { factSpecs } from '../settings/facts.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'

/** What the site announces from now on, by what its trainer said, and by how much it scales what it trained; in round `at`. */
export type Weigh = (said: Facts, at: number) => { readonly facts: Facts, readonly factor: number | undefined }

/**
 * How sites of a federation weigh what they train (docs/spec/mixing.md#landing-factor); undefined where they do not. `heard`: what the
 * others announced, as it came.
 */
export function weighing (
  settings: Pick<FederationSettings, 'method' | 'averaging'>,
  mass: number,
  heard: (at: number) => ReadonlyMap<string, Float32Array | undefined>
): Weigh | undefined {
  const robust = settings.method?.robust
  const specs = factSpecs(settings)
  if (specs.length === 0) return undefined
  return (said, at) => {
    const facts = { ...said, mass: Float32Array.of(mass) }
    if (robust == null) return { facts, factor: undefined }
    const own = weighedBy(facts)
    const others = [...heard(at).values()].map((values) => weighedBy(heardFacts(specs, values)))
    return { facts, factor: own == null ? 1 : robustFactor(own, others, robust) }
  }
}

/** What this site and all of them count for, by what is announced; undefined where the method does not ask it, or nobody else is there. */
export function massesOf (
  settings: Pick<FederationSettings, 'method' | 'averaging'>,
  own: number,
  heard: readonly (Float32Array | undefined)[]
): { readonly own: number, readonly all: number } | undefined {
  if (settings.method?.units == null) return undefined
  const specs = factSpecs(settings)
  const known = heard.map((values) => heardFacts(specs, values)?.['mass']?.[0])
  const middle = median([own, ...known.filter((each) => each != null)])
  return heard.length === 0 ? undefined : { own, all: known.reduce<number>((sum, each) => sum + (each ?? middle), own) }
}

function weighedBy (facts: Facts | undefined): Weighed | undefined {
  const [loss, mass] = [facts?.['loss']?.[0], facts?.['mass']?.[0]]
  return loss == null || mass == null ? undefined : { loss, mass }
}
