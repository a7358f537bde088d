import { parseJson } from '../../common/parse-json.ts'
import { CorruptFileError, InputError } from '../../errors.ts'
import { readChecked } from '../../home/checksum.ts'
import { credential, type Credential } from './certificate.ts'
import type { Standing } from './statements.ts'

/** What this site shows: empty for one that has joined without a certificate, or founded. @throws InputError for a damaged file. */
export async function readCredential (path: string): Promise<Credential> {
  const value = await readJsonIfThere(path)
  if (value === undefined) return { handovers: [] }
  const parsed = credential.safeParse(value)
  if (!parsed.success) throw new InputError(`${path} is not a certificate: join again with your invitation`)
  return parsed.data
}

/** Takes in what this site knew before. @throws InputError for a damaged file: to forget a revocation is never right. */
export async function readStatements (path: string, standing: Standing): Promise<void> {
  const value = await readJsonIfThere(path)
  if (value === undefined) return
  try {
    if (!Array.isArray(value)) throw new TypeError('it is no list')
    await standing.learn(value)
  } catch (error) {
    throw new InputError(
      `${path} is damaged (${(error as Error).message}): remove it, and this site learns the revocations again from the others`
    )
  }
}

/** Null for what is no JSON, or not what was written. */
async function readJsonIfThere (path: string): Promise<unknown> {
  try {
    const text = await readChecked(path)
    return text == null ? undefined : parseJson(text) ?? null
  } catch (error) {
    if (error instanceof CorruptFileError) return null
    throw error
  }
}
