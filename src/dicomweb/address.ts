import { InputError } from '../errors.ts'

/** What to read, and from which PACS. */
export interface PacsAddress {
  /** of the DICOMweb service, without a slash at its end */
  readonly base: string
  readonly study?: string
  readonly series?: string
  /** attributes of studies and what they must be, as QIDO takes them; those of one name are tried one after the other */
  readonly filter: ReadonlyArray<readonly [name: string, value: string]>
}

const SCHEME = /^dicomweb\+(?=https?:)/i
const PLACE = /^(.*?)(?:\/studies\/([^/]+)(?:\/series\/([^/]+))?)?\/*$/
const ATTRIBUTE = /^([A-Za-z]{1,64}|[0-9A-Fa-f]{8})$/
const OURS = new Set(['limit', 'offset', 'includefield', 'fuzzymatching'])
const UID = /^[0-9.]{1,64}$/
const STUDIES = 'StudyInstanceUID'

/** Whether a text names a PACS, and no folder. */
export function isPacs (text: string): boolean {
  return /^dicomweb\+/i.test(text)
}

export function isUid (text: unknown): text is string {
  return typeof text === 'string' && UID.test(text)
}

/**
 * `dicomweb+https://host/dicom-web?Modality=CT`, or with `/studies/UID` and `/series/UID` behind the service. @throws InputError, which
 * repeats nothing of the address: it may say who a patient is
 */
export function parseAddress (text: string): PacsAddress {
  const url = SCHEME.test(text) && URL.canParse(text.replace(SCHEME, '')) ? new URL(text.replace(SCHEME, '')) : undefined
  if (url == null) throw new InputError('an address of a PACS is dicomweb+https://HOST/PATH, or dicomweb+http://HOST:PORT/PATH')
  if (url.username !== '' || url.password !== '') {
    throw new InputError('the address of a PACS holds a user or password, which others can read there: put them into pacs.json of the home')
  }
  const [, path = '', study, series] = PLACE.exec(url.pathname)!
  if ([study, series].some((uid) => uid != null && !isUid(uid))) {
    throw new InputError('behind /studies/ and /series/ in the address of a PACS stands a UID of digits and dots')
  }
  const base = url.origin + path
  return { base, ...study == null ? {} : { study }, ...series == null ? {} : { series }, filter: filterOf(url.searchParams) }
}

function filterOf (parameters: URLSearchParams): Array<readonly [string, string]> {
  const given = [...parameters]
  const wrong = given.some(([name, value]) => !ATTRIBUTE.test(name) || OURS.has(name.toLowerCase()) || value === '')
  if (wrong) throw new InputError('behind the ? in the address of a PACS stand attributes of studies, such as ?ModalitiesInStudy=CT')
  return given.flatMap(([name, value]) => {
    const uids = name === STUDIES ? value.split(/[,\\\s]+/).filter((each) => each !== '') : undefined
    if (uids?.every(isUid) === false) throw new InputError(`${STUDIES} in the address of a PACS is a list of UIDs with commas between them`)
    return (uids ?? [value]).map((each) => [name, each] as const)
  })
}

/** The queries for its studies: one for each study of a list. @throws InputError where nothing says which are meant */
export function queriesOf ({ study, filter }: PacsAddress): URLSearchParams[] {
  const listed = filter.filter(([name]) => name === STUDIES).map(([, uid]) => uid).concat(study ?? [])
  const others = filter.filter(([name]) => name !== STUDIES).map(([name, value]): [string, string] => [name, value])
  if (listed.length > 0) return listed.map((uid) => new URLSearchParams([...others, [STUDIES, uid]]))
  if (others.length > 0) return [new URLSearchParams(others)]
  throw new InputError(
    'all studies of a PACS are too many: name those that are meant, such as ?ModalitiesInStudy=CT&StudyDate=20250101- ' +
    `or ?${STUDIES}=UID,UID at the end of its address`
  )
}
