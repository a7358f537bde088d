import { appendFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../../common/parse-json.ts'
import { isMissing, makePrivateFolder, readIfThere } from '../../home/files.ts'

const membershipEvent = z.strictObject({
  kind: z.literal('membership'),
  event: z.enum(['certified', 'invited', 'revocation signed', 'revoked', 'handed over', 'left', 'key rotated', 'key received']),
  peer: z.string(),
  detail: z.string().optional()
})
const MOST = 1_000

/** What the audit ledger is told about membership. */
export type MembershipChange = z.infer<typeof membershipEvent>
export type MembershipEvent = MembershipChange | {
  readonly kind: 'refusal',
  readonly peer: string,
  readonly what: 'certificate' | 'stream' | 'handshake' | 'version',
  readonly reason: string
}

/** Keeps what a command did until the daemon writes it into the ledger. */
export async function appendEvent (path: string, event: MembershipChange): Promise<void> {
  await makePrivateFolder(dirname(path))
  await appendFile(path, JSON.stringify(event) + '\n', { mode: 0o600 })
}

/** The events that wait for the ledger. */
export async function readEvents (path: string): Promise<MembershipChange[]> {
  const text = (await readIfThere(path))?.toString('utf8') ?? ''
  return text.split('\n').slice(0, MOST).flatMap((line) => membershipEvent.safeParse(parseJson(line)).data ?? [])
}

/** The same, which from now on wait no more. */
export async function takeEvents (path: string): Promise<MembershipChange[]> {
  const taken = `${path}.taken`
  try {
    await rename(path, taken)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
  const events = await readEvents(taken)
  await rm(taken)
  return events
}
