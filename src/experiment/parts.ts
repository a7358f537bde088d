import type { TrainedSite } from './site-model.ts'

interface Counted {
  readonly name: string
  /** Of the site in the average. */
  readonly mass: number
}

/**
 * By site, how much of each site's core is in what it serves, of 1 in all: its part of the average that is left, and what the site has
 * learnt to take beside it (docs/spec/mixing.md#relations). Undefined where the method learns none.
 */
export function partsServed (models: readonly Pick<TrainedSite, 'relationsTo'>[], sites: readonly Counted[]): number[][] | undefined {
  const total = sites.reduce((sum, { mass }) => sum + mass, 0)
  const parts = models.map((model, index) => {
    const names = sites.map(({ name }) => name)
    const taken = model.relationsTo(names)
    if (taken == null) return undefined
    const relations = taken.others.map((each, site) => site === index ? taken.own : each)
    const left = 1 - relations.reduce((sum, each) => sum + each, 0)
    return sites.map(({ mass }, site) => left * mass / total + relations[site]!)
  })
  return parts.every((each) => each != null) ? parts : undefined
}
