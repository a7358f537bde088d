import type { Standing } from '../../rounds/notices.ts'
import type { SiteStatus } from '../../rounds/status.ts'
import type { WarningKind } from '../../rounds/warning-kinds.ts'

/** What GET /healthz answers. */
export interface Health {
  readonly ok: boolean
  /** One sentence. */
  readonly reason: string
}

/** What keeps a site from its work until somebody mends it here; that others are away is no illness of this one. */
const ILL: ReadonlySet<WarningKind | undefined> = new Set<WarningKind>(['audit', 'own_certificate', 'save', 'trainer'])

/** Whether the daemon does its work, and why not. */
export function healthOf ({ phase, round, rounds, trainer }: SiteStatus, conditions: readonly Standing[]): Health {
  const ill = conditions.filter(({ kind }) => ILL.has(kind))
  if (ill.length > 0) return { ok: false, reason: ill.map(({ message }) => message).join('; ') }
  return { ok: true, reason: `round ${round} of ${rounds}, ${phase}; the trainer is ${trainer}` }
}
