import { randomBytes } from 'node:crypto'
import { InputError } from '../errors.ts'

const DICOM = 'application/dicom'
const NOT_ONE = 'the PACS sent something else than the one DICOM file that it was asked for'

/** The one DICOM file in an answer: as it is, or the only part of multipart/related. @throws InputError for anything else */
export function onlyPart (body: Buffer, type: string): Buffer {
  const [kind = ''] = type.toLowerCase().split(';')
  if (kind.trim() === DICOM) return body
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type) ?? []
  const boundary = quoted ?? plain
  if (kind.trim() !== 'multipart/related' || boundary == null) throw new InputError(NOT_ONE)
  const first = body.indexOf(`--${boundary}`)
  const start = first < 0 ? -1 : body.indexOf('\r\n\r\n', first)
  // Pixels may hold anything: the end is the last boundary, and there is none between.
  const end = body.lastIndexOf(`\r\n--${boundary}--`)
  if (start < 0 || end < start + 4) throw new InputError(NOT_ONE)
  const part = body.subarray(start + 4, end)
  if (part.includes(`\r\n--${boundary}\r\n`)) throw new InputError(NOT_ONE)
  return part
}

/** A DICOM file as the only part of multipart/related, and the type of that. */
export function asMultipart (bytes: Uint8Array): { body: Buffer<ArrayBuffer>, type: string } {
  const boundary = randomBytes(24).toString('hex')
  return {
    body: Buffer.concat([Buffer.from(`--${boundary}\r\nContent-Type: ${DICOM}\r\n\r\n`), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    type: `multipart/related; type="${DICOM}"; boundary=${boundary}`
  }
}
