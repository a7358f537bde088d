import { listUsed, pseudonyms, type DataImage, type Pseudonym } from '../dataset/index.ts'
import { patientKey } from '../site-model/patient-key.ts'
import { Withdrawn } from '../site-model/withdrawals/withdrawn.ts'

/** An image of the data folder as viewers know it. */
export interface Listed {
  /** A hash of its name by the home's own key: no name of a file or patient leaves in it. */
  readonly id: string
  readonly image: DataImage
  /** Whether the data folder labels it. */
  readonly isLabelled: boolean
}

interface CatalogueInit {
  readonly data: string
  readonly privateStore: string
  readonly channels: readonly number[] | undefined
  /** Whatever lies beside the images is no mask. */
  readonly withoutLabels?: boolean | undefined
  readonly now?: () => number
}

/** How long a listing serves: a folder of DICOM series takes up to a minute to look through. */
const SERVES_MS = 60_000

/** The images of a data folder, by their hashes; it may grow meanwhile. */
export class Catalogue {
  readonly #init: CatalogueInit
  readonly #pseudonym: Pseudonym
  #listing: Promise<ReadonlyMap<string, Listed>> | undefined
  #listedAt = -Infinity

  private constructor (init: CatalogueInit, pseudonym: Pseudonym) {
    this.#init = init
    this.#pseudonym = pseudonym
  }

  static async open (init: CatalogueInit): Promise<Catalogue> {
    return new Catalogue(init, pseudonyms(await patientKey(init.privateStore)()))
  }

  /** In the order of the folder. @throws InputError when the folder has no known layout */
  async all (): Promise<readonly Listed[]> {
    return [...(await this.#current()).values()]
  }

  /** By its hash, or the Series Instance UID by which OHIF names it. @throws InputError when the folder has no known layout */
  async find (id: string): Promise<Listed | undefined> {
    const images = await this.#current()
    const series = `-${this.#pseudonym('series', id)}`
    return images.get(id) ?? [...images.values()].find(({ image }) => 'stack' in image && image.stem.endsWith(series))
  }

  /** The hash under which a correction says who made it. */
  authorOf (name: string): string {
    return this.#pseudonym('author', name)
  }

  async #current (): Promise<ReadonlyMap<string, Listed>> {
    const now = (this.#init.now ?? Date.now)()
    if (this.#listing != null && now - this.#listedAt < SERVES_MS) return await this.#listing
    this.#listedAt = now
    this.#listing = this.#list()
    this.#listing.catch(() => { this.#listing = undefined })
    return await this.#listing
  }

  async #list (): Promise<ReadonlyMap<string, Listed>> {
    const { data, privateStore, channels, withoutLabels = false } = this.#init
    const { withdrawn } = await Withdrawn.read(privateStore)
    const reading = { withoutLabels, withdrawn, patientKey: patientKey(privateStore), ...channels == null ? {} : { channels } }
    const { pairs, unlabelled } = await listUsed(data, reading)
    const listed = (image: DataImage, isLabelled: boolean): [string, Listed] => {
      const id = this.#pseudonym('image', image.stem)
      return [id, { id, image, isLabelled }]
    }
    return new Map([...pairs.map((image) => listed(image, true)), ...unlabelled.map((image) => listed(image, false))])
  }
}
