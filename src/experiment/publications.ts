import type { Received } from '../model/components/component.ts'
import type { MethodSettings } from '../settings/method.ts'
import type { TrainSettings } from '../settings/training.ts'
import { amplitudeBank } from '../site-model/amplitude-bank.ts'
import type { SiteData } from './data-source.ts'

/** Bytes of a number as it travels. */
const NUMBER = 4

/** What a site shows of its images; all sites agree to what the method shares. */
export function shownOfImages (
  { method, train: { episode } }: { readonly method?: MethodSettings | undefined, readonly train: TrainSettings },
  samples: SiteData['train'],
  { peer, siteSeed }: { readonly peer: string, readonly siteSeed: number }
): Received[] {
  if (episode == null || method?.sharing?.includes('amplitude-bank') !== true) return []
  const values = amplitudeBank(samples, { episode, siteSeed })
  return values == null ? [] : [{ kind: 'amplitude-bank', peer, values }]
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
