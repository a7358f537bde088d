import { parseJson } from '../common/parse-json.ts'
import { InputError } from '../errors.ts'
import { isUid } from './address.ts'
import { NO_PACS } from './failures.ts'
import { asMultipart, onlyPart } from './multipart.ts'
import { request, requireSafe, type RequestInit } from './request.ts'

export interface PacsSeries { readonly uid: string, readonly modality: string }

/** A data set in JSON (PS3.18 F), not checked yet. */
type Attributes = Readonly<Record<string, { readonly Value?: unknown } | null | undefined>>

const JSON_TYPE = 'application/dicom+json'
/** As it is stored: nothing is packed anew. */
const FILE_TYPE = 'multipart/related; type="application/dicom"; transfer-syntax=*'
const [MOST_JSON, MOST_FILE] = [2 ** 26, 2 ** 30]
const PAGE = 500
const MOST = { studies: 10_000, series: 2_000, instances: 65_536 } as const
const TAG = { study: '0020000D', series: '0020000E', sop: '00080018', modality: '00080060', failed: '00081198', why: '00081197' } as const

/**
 * What Consilium asks of a PACS: QIDO-RS, WADO-RS and STOW-RS by `fetch`, every answer bounded. The package dicomweb-client needs a
 * browser's XMLHttpRequest and knows no bounds.
 */
export class PacsClient {
  readonly #init: RequestInit

  /** @throws InputError where a password would cross the network unprotected */
  constructor (init: RequestInit) {
    requireSafe(init)
    this.#init = init
  }

  /** UIDs of the studies that a query finds. */
  async studies (query: URLSearchParams): Promise<string[]> {
    return (await this.#list('studies', '/studies', TAG.study, query)).map(([uid]) => uid)
  }

  async series (study: string): Promise<PacsSeries[]> {
    const found = await this.#list('series', `/studies/${study}/series`, TAG.series)
    return found.map(([uid, attributes]) => {
      const [modality] = valuesOf(attributes, TAG.modality)
      return { uid, modality: typeof modality === 'string' ? modality : '' }
    })
  }

  /** UIDs of the instances of a series. */
  async instances (study: string, series: string): Promise<string[]> {
    return (await this.#list('instances', `/studies/${study}/series/${series}/instances`, TAG.sop)).map(([uid]) => uid)
  }

  /** A DICOM file, as the PACS keeps it. */
  async file (study: string, series: string, sop: string): Promise<Buffer> {
    const path = `/studies/${study}/series/${series}/instances/${sop}`
    const { body, type } = await request(this.#init, path, { accept: FILE_TYPE, most: MOST_FILE })
    return onlyPart(body, type)
  }

  /** @throws InputError where the PACS does not take the file */
  async store (study: string, bytes: Uint8Array): Promise<void> {
    const { body } = await request(this.#init, `/studies/${study}`, { accept: JSON_TYPE, most: MOST_JSON, body: asMultipart(bytes) })
    const [answer] = attributesIn([parseJson(body.toString('utf8'))].flat())
    const [failed] = attributesIn(valuesOf(answer, TAG.failed))
    if (failed == null) return
    const why = Number(valuesOf(failed, TAG.why)[0] ?? NaN)
    const reason = Number.isFinite(why) ? ` (reason 0x${why.toString(16).padStart(4, '0')})` : ''
    throw new InputError(`the PACS did not take the result${reason}`)
  }

  /** All that there are, page after page; a PACS that knows no pages sends all at once, again and again. */
  async #list (what: keyof typeof MOST, path: string, tag: string, query?: URLSearchParams): Promise<Array<[string, Attributes]>> {
    const found = new Map<string, Attributes>()
    for (;;) {
      const asked = new URLSearchParams(query)
      asked.set('limit', String(PAGE))
      asked.set('offset', String(found.size))
      const before = found.size
      for (const each of await this.#page(`${path}?${asked.toString()}`)) {
        const [uid] = valuesOf(each, tag)
        if (isUid(uid)) found.set(uid, each)
      }
      const most = MOST[what]
      if (found.size > most) throw new InputError(`the PACS has more than ${most} ${what} there: narrow the filter`)
      // A page may be shorter than asked for.
      if (found.size === before) return [...found]
    }
  }

  async #page (path: string): Promise<Attributes[]> {
    const { status, body, type } = await request(this.#init, path, { accept: JSON_TYPE, most: MOST_JSON })
    if (status === 204 || body.length === 0) return []
    const parsed = /json/i.test(type) ? parseJson(body.toString('utf8')) : undefined
    if (!Array.isArray(parsed)) throw new InputError(NO_PACS)
    return attributesIn(parsed)
  }
}

function attributesIn (values: readonly unknown[]): Attributes[] {
  return values.filter((each): each is Attributes => typeof each === 'object' && each != null && !Array.isArray(each))
}

function valuesOf (attributes: Attributes | undefined, tag: string): readonly unknown[] {
  const values = attributes?.[tag]?.Value
  return Array.isArray(values) ? values : []
}
