export const SLOW = 'the PACS does not answer, or stopped in the middle of an answer: see whether it is up'
export const NO_PACS = 'what answers at the address of the PACS is no DICOMweb service: check the path, often /dicom-web or /wado'

const TLS = 'the PACS shows a certificate that this machine does not trust: name the file of its issuer in NODE_EXTRA_CA_CERTS'
const UNREACHABLE = 'the PACS cannot be reached: check the address, and whether it is up'

/** By what the system or the TLS of Node calls it. */
const CAUSES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate of the PACS has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the PACS is for another name: name it as the certificate does',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the PACS speaks no TLS: name it as dicomweb+http://…',
  ENOTFOUND: 'no machine has the name of the PACS: check the address',
  EAI_AGAIN: 'no machine has the name of the PACS: check the address',
  ECONNREFUSED: 'nothing listens at the address of the PACS: check the port, and whether it is up',
  UND_ERR_CONNECT_TIMEOUT: SLOW,
  UND_ERR_HEADERS_TIMEOUT: SLOW,
  UND_ERR_BODY_TIMEOUT: SLOW
}
const UNTRUSTED = /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(VERIFY|GET)|CERT_|ERR_TLS)/

/** Why there was no answer, in a sentence without the address. */
export function failureOf (error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const inner = cause instanceof AggregateError ? cause.errors[0] as unknown : cause
  const codes = [inner, cause].map((each) => each instanceof Error && 'code' in each ? String(each.code) : '')
  const code = codes.find((each) => each !== '') ?? ''
  return CAUSES[code] ?? (UNTRUSTED.test(code) ? TLS : UNREACHABLE)
}

/** What is wrong with an answer by its status; undefined where nothing is. */
export function statusOf (status: number): string | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status === 401 || status === 403) {
    return `the PACS refuses this site (${status}): give its user and password, or token, in pacs.json of the home or in the environment`
  }
  if (status >= 300 && status < 400) return 'the PACS sends on to another address: name that one'
  if (status === 404) return 'the PACS has nothing there: the study or series is missing, or the address is no DICOMweb service\'s'
  if (status === 400 || status === 406) return `the PACS does not take the question (${status}): check the filter in its address`
  if (status === 413) return 'the PACS takes no file of this size'
  return `the PACS failed (${status}): try again, or ask who runs it`
}
