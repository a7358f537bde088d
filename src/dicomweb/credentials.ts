import { stat } from 'node:fs/promises'
import { z } from 'zod'
import { parseJson } from '../common/parse-json.ts'
import { InputError } from '../errors.ts'
import { readIfThere } from '../home/files.ts'

const OTHERS = 0o077
const credentials = z.union([z.strictObject({ user: z.string(), password: z.string() }), z.strictObject({ token: z.string().min(1) })])

/**
 * What the header Authorization says to a PACS: by CONSILIUM_PACS_TOKEN, or CONSILIUM_PACS_USER and CONSILIUM_PACS_PASSWORD, of the
 * environment, else by the file; undefined where neither says anything. @throws InputError where others could read the file
 */
export async function readAuthorization (file: string, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const { CONSILIUM_PACS_TOKEN: token, CONSILIUM_PACS_USER: user, CONSILIUM_PACS_PASSWORD: password } = env
  if (token != null && token !== '') return authorizationOf({ token })
  if (user != null && user !== '') return authorizationOf({ user, password: password ?? '' })
  const bytes = await readIfThere(file)
  if (bytes == null) return undefined
  if (process.platform !== 'win32' && ((await stat(file)).mode & OTHERS) !== 0) {
    throw new InputError(`${file} holds a password and can be read by others: chmod 600 it`)
  }
  const { data } = credentials.safeParse(parseJson(bytes.toString('utf8')))
  if (data == null) throw new InputError(`${file} must be { "user": "…", "password": "…" } or { "token": "…" }`)
  return authorizationOf(data)
}

function authorizationOf (given: z.infer<typeof credentials>): string {
  if ('token' in given) return `Bearer ${given.token}`
  return `Basic ${Buffer.from(`${given.user}:${given.password}`).toString('base64')}`
}
