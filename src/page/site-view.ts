import { stat } from 'node:fs/promises'
import { isMissing } from '../home/files.ts'
import { sitePaths } from '../home/paths.ts'
import { picturesFile } from '../home/pictures.ts'
import { picturesPart, sitePart, wordsPart, type SiteFacts, type SitePart } from '../report/site-page.ts'
import { factsOf } from './facts.ts'
import { readKnown, readSitePictures, type Asking } from './read-site.ts'

export interface SiteViewInit {
  readonly home: string
  readonly ask: Asking
}

/** What the page is made of, in the order in which it stands there. */
export interface Parts {
  readonly parts: readonly { readonly id: string, readonly html: string }[]
  /** Another one where the pictures are others. */
  readonly pictures: string
}

/** The parts of a page, each drawn anew where its facts are others. */
export class SiteView {
  readonly #init: SiteViewInit
  readonly #drawn = new Map<SitePart, { readonly of: string, readonly html: string }>()
  readonly #words = wordsPart()

  constructor (init: SiteViewInit) {
    this.#init = init
  }

  async parts (): Promise<Parts> {
    const { home, ask } = this.#init
    const facts = factsOf(await readKnown(home, ask))
    const parts = (Object.keys(facts) as SitePart[]).map((id) => ({ id, html: this.#draw(id, facts) }))
    return { parts: [...parts, { id: 'words', html: this.#words }], pictures: await this.#stamp() }
  }

  async pictures (): Promise<{ readonly html: string }> {
    return { html: picturesPart(await readSitePictures(this.#init.home)) }
  }

  #draw (part: SitePart, facts: SiteFacts): string {
    const of = JSON.stringify(facts[part])
    const before = this.#drawn.get(part)
    if (before?.of === of) return before.html
    const html = sitePart(part, facts[part])
    this.#drawn.set(part, { of, html })
    return html
  }

  async #stamp (): Promise<string> {
    try {
      const { mtimeMs, size } = await stat(picturesFile(sitePaths(this.#init.home).privateStore))
      return `${mtimeMs} ${size}`
    } catch (error) {
      if (isMissing(error)) return 'none'
      throw error
    }
  }
}
