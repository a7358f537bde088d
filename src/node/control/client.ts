import { z } from 'zod'
import { parseJson } from '../../common/parse-json.ts'
import { InputError } from '../../errors.ts'
import { readIfThere } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { requireKnownHome } from '../../home/version.ts'
import type { Health } from './health.ts'

const TIMEOUT_MS = 5_000
const CHANGE_TIMEOUT_MS = 20_000
const controlFile = z.object({ url: z.url(), token: z.string() })
const healthAnswer = z.object({ ok: z.boolean(), reason: z.string() })

/** Asks the running daemon of `home`. @throws InputError when none runs there. */
export async function fetchControl<T> (home: string, path: '/status' | '/peers' | '/members'): Promise<T> {
  const { url, token } = await readControl(home)
  try {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return await response.json() as T
  } catch {
    throw notRunning(home)
  }
}

/** How well the running daemon of `home` says it is. @throws InputError when none runs there. */
export async function fetchHealth (home: string): Promise<Health> {
  const { url, token } = await readControl(home)
  const init = { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(TIMEOUT_MS) }
  const answer = await fetch(`${url}/healthz`, init).then(async (response) => healthAnswer.safeParse(await response.json()).data)
    .catch(() => undefined)
  if (answer == null) throw notRunning(home)
  return answer
}

/** Has the running daemon of `home` do something; undefined when none runs there. @throws InputError with its sentence when it refuses. */
export async function askControl<T> (
  home: string,
  path: '/membership/revoke' | '/membership/rotate-key' | '/membership/leave' | '/ledger/reconciled',
  body: object
): Promise<T | undefined> {
  const control = await readControl(home).catch(() => undefined)
  if (control == null) return undefined
  const headers = { authorization: `Bearer ${control.token}`, 'content-type': 'application/json' }
  const response = await fetch(control.url + path, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(CHANGE_TIMEOUT_MS)
  }).catch((error: unknown) => {
    if ((error as Error | null)?.name === 'TimeoutError') throw new InputError(`the daemon of ${home} did not answer in time: see its log`)
    return undefined
  })
  if (response == null) return undefined
  if (response.ok) return await response.json() as T
  const { error } = await response.json() as { error?: string }
  throw new InputError(error ?? `the daemon of ${home} refused: see its log`)
}

async function readControl (home: string): Promise<z.infer<typeof controlFile>> {
  await requireKnownHome(home)
  const bytes = await readIfThere(sitePaths(home).control)
  if (bytes == null) throw notRunning(home)
  const { data } = controlFile.safeParse(parseJson(bytes.toString('utf8')))
  if (data == null) throw notRunning(home)
  return data
}

function notRunning (home: string): InputError {
  return new InputError(`no daemon answers for ${home}: start it with "consilium start --home ${home} --data PATH"`)
}
