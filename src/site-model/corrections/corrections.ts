import { createHash, randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../../common/parse-json.ts'
import { CorruptFileError, InputError } from '../../errors.ts'
import { readChecked, writeCheckedJson } from '../../home/checksum.ts'
import { namesIn, writeFileSafely } from '../../home/files.ts'

const RECORD = /^[0-9a-f]{16}\.json$/

const correction = z.strictObject({
  /** By which it is undone. */
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** Folder of the image. */
  data: z.string(),
  /** The image's name in that folder, without its ending. */
  stem: z.string(),
  /** By which viewers name the image. */
  image: z.string(),
  /** A hash by the home's own key. */
  author: z.string(),
  /** When it was saved, ISO 8601. */
  at: z.iso.datetime(),
  ending: z.enum(['.nii.gz', '.png']),
  /** SHA-256 of the labels. */
  digest: z.string()
})

/** Labels that a person saved for one image. */
export type Correction = z.infer<typeof correction>

/**
 * The corrections of a home: labels, and beside each a record that makes it count, readable for this user alone. Of several of one image
 * the newest counts.
 */
export class Corrections {
  readonly #folder: string

  constructor (privateStore: string) {
    this.#folder = join(privateStore, 'corrections')
  }

  /** Oldest first. @throws InputError for a damaged record */
  async list (): Promise<Correction[]> {
    const names = (await namesIn(this.#folder)).filter((name) => RECORD.test(name))
    const all = await Promise.all(names.map(async (name) => await this.#read(join(this.#folder, name))))
    return all.sort((a, b) => a.at === b.at ? (a.id < b.id ? -1 : 1) : a.at < b.at ? -1 : 1)
  }

  /** Those that count in a data folder, by the stem of their image. @throws InputError for a damaged record */
  async inForce (data: string): Promise<ReadonlyMap<string, Correction>> {
    const folder = resolve(data)
    return new Map((await this.list()).filter((each) => each.data === folder).map((each) => [each.stem, each]))
  }

  /** Files of labels by the stem of their image, as a data folder is read with them. @throws InputError for a damaged record */
  async files (data: string): Promise<ReadonlyMap<string, string>> {
    return new Map([...await this.inForce(data)].map(([stem, each]) => [stem, this.fileOf(each)]))
  }

  isElsewhere ({ data }: Correction, folder: string): boolean {
    return data !== resolve(folder)
  }

  fileOf ({ id, ending }: Pick<Correction, 'id' | 'ending'>): string {
    return join(this.#folder, id + ending)
  }

  /** Keeps labels of an image: they count once this resolves. */
  async save (
    { labels, data, ...rest }: Pick<Correction, 'data' | 'stem' | 'image' | 'author' | 'ending'> & { readonly labels: Uint8Array },
    at: Date
  ): Promise<Correction> {
    const id = randomBytes(8).toString('hex')
    const digest = createHash('sha256').update(labels).digest('hex')
    const saved = { id, data: resolve(data), ...rest, at: at.toISOString(), digest }
    await writeFileSafely(this.fileOf(saved), labels)
    await writeCheckedJson(join(this.#folder, `${id}.json`), saved)
    return saved
  }

  /** What the image was labelled with before counts again. @throws InputError where there is no such correction */
  async undo (id: string): Promise<Correction> {
    const found = (await this.list()).find((each) => each.id === id)
    if (found == null) throw new InputError(`there is no correction ${id}: "consilium corrections list" names them`)
    await rm(join(this.#folder, `${id}.json`))
    await rm(this.fileOf(found), { force: true })
    return found
  }

  async #read (path: string): Promise<Correction> {
    const text = await readChecked(path).catch((error: unknown) => {
      if (error instanceof CorruptFileError) return ''
      throw error
    })
    const { data } = correction.safeParse(parseJson(text ?? ''))
    if (data != null) return data
    throw new InputError(`${path} is damaged: restore it from a backup, or remove it, and the image has the labels of before`)
  }
}
