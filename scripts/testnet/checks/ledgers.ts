import { readAccount } from '../../../src/audit/account.ts'
import { reconcile, type LedgerAccount } from '../../../src/audit/reconcile.ts'
import type { Hospital } from '../hospitals/hospitals.ts'

/** What the audit ledgers of all hospitals say about each other. */
export interface LedgerComparison {
  /** Committed exchanges that both sides tell alike. */
  readonly matched: number
  /** Told by one side only, because the other crashed or the last message was lost. */
  readonly explained: number
  readonly problems: readonly string[]
}

/** Verifies every ledger and holds each two against each other, killed hospitals' too. */
export async function compareLedgers (hospitals: readonly Hospital[]): Promise<LedgerComparison> {
  const problems: string[] = []
  const accounts: { name: string, account: LedgerAccount }[] = []
  for (const { name, home } of hospitals) {
    try {
      accounts.push({ name, account: (await readAccount(home)).account })
    } catch (error) {
      problems.push(`${name}: ${(error as Error).message}`)
    }
  }
  const pairs = accounts.flatMap((a, i) =>
    accounts.slice(i + 1).map((b) => ({ names: `${a.name} and ${b.name}`, ...reconcile(a.account, b.account) }))
  )
  return {
    matched: pairs.reduce((sum, { matched }) => sum + matched, 0),
    explained: pairs.reduce((sum, { explained }) => sum + explained.length, 0),
    problems: [
      ...problems,
      ...pairs.flatMap(({ names, differences }) => differences.map(({ id, what }) => `${names}, exchange ${id}: ${what}`))
    ]
  }
}
