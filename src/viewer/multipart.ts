import { randomBytes } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { parseJson } from '../common/parse-json.ts'
import { InputError } from '../errors.ts'
import type { LabelFile } from './label-file.ts'

/** What a client sent: `params` as JSON, and a file. */
export interface Form {
  readonly params: unknown
  readonly file?: { readonly field: string, readonly name: string, readonly bytes: Buffer }
}

/** A form of parts, or JSON alone. @throws InputError where `params` is no JSON */
export async function readForm (request: FastifyRequest): Promise<Form> {
  if (!request.isMultipart()) return { params: request.body ?? {} }
  let params: unknown = {}
  let file: Form['file']
  for await (const part of request.parts()) {
    if (part.type === 'file') file = { field: part.fieldname, name: part.filename, bytes: await part.toBuffer() }
    else if (part.fieldname === 'params') params = parseJson(String(part.value))
  }
  if (params === undefined) throw new InputError('params is not JSON: send an object')
  return { params, ...file == null ? {} : { file } }
}

/** The answer of MONAI Label's server: the parts `params`, JSON, and `image`, a file. */
export function formOf (params: object, { name, file: { type, bytes } }: { readonly name: string, readonly file: LabelFile }): {
  readonly type: string
  readonly body: Buffer
} {
  const boundary = randomBytes(16).toString('hex')
  const head = (field: string, filename: string, content: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${field}"${filename}\r\nContent-Type: ${content}\r\n\r\n`
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([
      Buffer.from(`${head('params', '', 'application/json')}${JSON.stringify(params)}\r\n`),
      Buffer.from(head('image', `; filename="${name}"`, type)),
      bytes,
      Buffer.from(`\r\n--${boundary}--\r\n`)
    ])
  }
}
