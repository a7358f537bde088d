import { z } from 'zod'
import type { Auditor } from '../audit/auditor.ts'
import { takePending } from '../federation/membership/pending.ts'
import type { Notices } from '../rounds/notices.ts'
import type { SitePaths } from '../home/paths.ts'

const change = z.strictObject({
  /** A hash by the home's own key. */
  subject: z.string().regex(/^[0-9a-f]{16}$/),
  event: z.enum(['withdrawn', 'readmitted']),
  /** ISO 8601. */
  at: z.iso.datetime()
})

/** What a command did to the data of a site. */
export type WithdrawalChange = z.infer<typeof change>

interface Taking {
  readonly paths: Pick<SitePaths, 'newWithdrawals'>
  readonly notices: Pick<Notices, 'event'>
  readonly audit: Pick<Auditor, 'record'>
}

/** Puts into the ledger who was withdrawn, or is no more, since this was asked last; true where the images are to be read anew. */
export async function takeWithdrawals ({ paths, notices, audit }: Taking): Promise<boolean> {
  const changes = (await takePending(paths.newWithdrawals)).flatMap((value) => change.safeParse(value).data ?? [])
  for (const each of changes) {
    audit.record({ kind: 'withdrawal', ...each })
    notices.event(each.event === 'withdrawn'
      ? `subject ${each.subject} was withdrawn on ${each.at}: its images are out of training`
      : `subject ${each.subject} was readmitted on ${each.at}: its images are trained on again`)
  }
  return changes.length > 0
}
