import { timingSafeEqual } from 'node:crypto'
import { InputError } from '../errors.ts'
import { readIfThere } from './files.ts'

const LEAST = 24

/** The token that a file of the site holds; undefined where no file is named. @throws InputError for one that is too short */
export async function readToken (path: string | undefined): Promise<string | undefined> {
  if (path == null) return undefined
  const token = (await readIfThere(path))?.toString('utf8').trim()
  if (token == null) throw new InputError(`${path} is not there: write a token into it, such as 32 random bytes in hexadecimal`)
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= LEAST) return token
  throw new InputError(`${path} holds no token: it must be ${LEAST} characters or more in one line, without spaces, best random`)
}

/** Compares in a time that says nothing about where they differ. */
export function isSameText (a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
