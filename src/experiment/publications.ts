import type { Received } from '../model/components/component.ts'
import type { Learner } from '../model/train/learner.ts'
import type { MethodSettings } from '../settings/method.ts'
import type { TrainSettings } from '../settings/training.ts'
import { amplitudeBank } from '../site-model/amplitude-bank.ts'
import { featureMoments } from '../site-model/feature-moments.ts'
import type { SiteData } from './data-source.ts'

/** Bytes of a number as it travels. */
const NUMBER = 4

interface Showing {
  readonly learner: Learner
  readonly method?: MethodSettings | undefined
  readonly train: TrainSettings
  readonly peer: string
  readonly siteSeed: number
}

/** What a site shows of its images; all sites agree to what the method shares. */
export async function shownOfImages (
  { learner, method: { sharing = [] } = {}, train: { episode }, peer, siteSeed }: Showing,
  samples: SiteData['train']
): Promise<Received[]> {
  const bank = episode != null && sharing.includes('amplitude-bank') ? amplitudeBank(samples, { episode, siteSeed }) : undefined
  const moments = sharing.includes('moments') ? await featureMoments(learner, samples) : undefined
  return [
    ...(bank == null ? [] : [{ kind: 'amplitude-bank', peer, values: bank } as const]),
    ...(moments == null ? [] : [{ kind: 'moments', peer, values: moments } as const])
  ]
}

/** Without a site's own, from the one after it on; of a model that stands for all sites there are no others. */
export function shownByOthers (shown: readonly (readonly Received[])[], site: number): Received[] {
  return [...shown.slice(site + 1), ...shown.slice(0, site)].flat()
}

/** What publications cost: each goes to every other site once. */
export class ShownBytes {
  readonly #counted = new WeakSet<Float32Array>()
  readonly #bytes: number[]

  constructor (sites: number) {
    this.#bytes = new Array<number>(sites).fill(0)
  }

  get bytes (): readonly number[] {
    return this.#bytes
  }

  add (shown: readonly (readonly Received[])[]): void {
    for (const [site, each] of shown.entries()) {
      for (const { values } of each) {
        if (!this.#counted.has(values)) this.#bytes[site]! += NUMBER * values.length * (shown.length - 1)
        this.#counted.add(values)
      }
    }
  }
}
