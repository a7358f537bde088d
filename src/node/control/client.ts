import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { sitePaths } from '../paths.ts'
import { readIfThere } from '../storage/files.ts'

const TIMEOUT_MS = 5_000
const controlFile = z.object({ url: z.url(), token: z.string() })

/** Asks the running daemon of `home`. @throws InputError when none runs there. */
export async function fetchControl<T> (home: string, path: '/status' | '/peers'): Promise<T> {
  const { url, token } = await readControl(home)
  try {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return await response.json() as T
  } catch {
    throw notRunning(home)
  }
}

async function readControl (home: string): Promise<z.infer<typeof controlFile>> {
  const bytes = await readIfThere(sitePaths(home).control)
  if (bytes == null) throw notRunning(home)
  try {
    return controlFile.parse(JSON.parse(bytes.toString('utf8')))
  } catch {
    throw notRunning(home)
  }
}

function notRunning (home: string): InputError {
  return new InputError(`no daemon answers for ${home}: start it with "consilium start --home ${home} --data PATH"`)
}
