import { z } from 'zod'
import { appendPending, readPending, takePending } from './pending.ts'

const membershipEvent = z.strictObject({
  kind: z.literal('membership'),
  event: z.enum([
    'certified',
    'invited',
    'revocation signed',
    'revoked',
    'handed over',
    'left',
    'key rotated',
    'key received',
    'renewal signed',
    'renewed',
    'amendment signed',
    'amendment agreed',
    'amended'
  ]),
  peer: z.string(),
  detail: z.string().optional()
})

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
  await appendPending(path, event)
}

/** The events that wait for the ledger. */
export async function readEvents (path: string): Promise<MembershipChange[]> {
  return (await readPending(path)).flatMap((value) => membershipEvent.safeParse(value).data ?? [])
}

/** The same, which from now on wait no more. */
export async function takeEvents (path: string): Promise<MembershipChange[]> {
  return (await takePending(path)).flatMap((value) => membershipEvent.safeParse(value).data ?? [])
}

/** The inverse of how `invite` writes it down: role, then name. */
export function invitedAs (detail = ''): [string, 'member' | 'inviter'] {
  const [role, ...name] = detail.split(' ')
  return [name.join(' '), role === 'inviter' ? 'inviter' : 'member']
}
