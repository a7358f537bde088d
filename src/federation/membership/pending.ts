import { appendFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseJson } from '../../common/parse-json.ts'
import { isMissing, makePrivateFolder, readIfThere } from '../../home/files.ts'

const MOST = 1_000

/** Adds a line of JSON to what commands leave for the daemon. */
export async function appendPending (path: string, value: unknown): Promise<void> {
  await makePrivateFolder(dirname(path))
  await appendFile(path, JSON.stringify(value) + '\n', { mode: 0o600 })
}

/** What waits there; undefined for a torn line. */
export async function readPending (path: string): Promise<unknown[]> {
  const text = (await readIfThere(path))?.toString('utf8') ?? ''
  return text.split('\n').filter((line) => line !== '').slice(0, MOST).map(parseJson)
}

/** The same, which from now on waits no more. */
export async function takePending (path: string): Promise<unknown[]> {
  const taken = `${path}.taken`
  try {
    await rename(path, taken)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
  const values = await readPending(taken)
  await rm(taken)
  return values
}
