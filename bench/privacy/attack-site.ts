import type { Fitted } from '../../src/dataset/index.ts'
import type { SiteData } from '../../src/experiment/data-source.ts'
import type { ModelSettings } from '../../src/settings/model.ts'
import type { AttackerSteps } from './attacker-steps.ts'
import type { Preset } from './presets.ts'
import type { Watched } from './watched-site.ts'

/** Whose images are attacked, and the others in its federation, the attacker's own first; one image of each patient. */
export interface Sites {
  readonly victim: SiteData
  readonly others: readonly (readonly Fitted[])[]
}

/** One defence with all that attacks on it need. */
export interface Attack extends Pick<Watched, 'learner' | 'promise'>, Preset {
  readonly steps: AttackerSteps
  readonly pixels: ModelSettings['pixels']
  /** Honest members that the attacker sees as one. */
  readonly together: number
  readonly sites: (seed: number) => Promise<Sites>
}

/** The victim is the site with most patients. */
export function sitesOf (all: readonly SiteData[]): Sites {
  const [victim, ...others] = all.map((site) => ({ ...site, train: onePerPatient(site.train) }))
    .sort((a, b) => b.train.length - a.train.length)
  return { victim: victim!, others: others.map(({ train }) => train) }
}

/** Who took part is then whose image did. */
function onePerPatient (samples: readonly Fitted[]): Fitted[] {
  return [...Map.groupBy(samples, ({ subject, id }) => subject ?? id).values()].map(([first]) => first!)
}
