import type { CommandModule } from 'yargs'
import { ledgerOf, ownerOf, readAccount } from '../../audit/account.ts'
import { exportBundle, verifyBundle } from '../../audit/bundle.ts'
import type { ChainPoint } from '../../audit/chain.ts'
import { reconcile as compare, type Reconciliation } from '../../audit/reconcile.ts'
import { describeEntry, matches, parseSince } from '../../audit/show.ts'
import { standingOf } from '../../audit/standing.ts'
import { verifyLedger, type LedgerCheck } from '../../audit/verify.ts'
import { printable, printableLine } from '../../common/printable.ts'
import { UsageError } from '../../errors.ts'
import { readFederation } from '../../federation/document.ts'
import { loadIdentity } from '../../federation/identity.ts'
import { readCredential } from '../../federation/membership/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { askControl } from '../../node/control/client.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print, printLines, printPart, warn } from '../output.ts'
import { dossier } from './audit-dossier.ts'

const formerFlag = {
  former: { type: 'string', describe: 'the ledger of this site under its peer id (or the last 8 characters) before "id rotate"' }
} as const

const verifyFlags = {
  ...homeFlag,
  ...jsonFlag,
  ...formerFlag,
  point: { type: 'string', describe: 'COUNT:HASH that was noted earlier: the ledger must still contain it' },
  bundle: { type: 'string', describe: 'verify this exported bundle instead of the ledger of --home' },
  federation: { type: 'string', describe: 'federation.json by which a bundle is judged' }
} as const

const verify = command({
  command: 'verify',
  describe: 'find any edit, gap or cut in the ledger',
  builder: (argv) => withFlags(argv, verifyFlags),
  handler: async ({ home, json, point, former, bundle, federation }) => {
    if (bundle == null) {
      const { folder, owner } = await ledgerOf(home, former)
      const verdict = await verifyLedger(folder, { ...owner, ...(point == null ? {} : { point: parsePoint(point) }) })
      report(json, verdict)
      return
    }
    if (federation == null) throw new UsageError('--bundle needs --federation federation.json, by which it is judged')
    const { header, verdict } = await verifyBundle(bundle)
    const standing = await standingOf(header, await readFederation(federation))
    report(json, {
      ...verdict,
      ok: verdict.ok && standing.member,
      problems: standing.member ? verdict.problems : [...verdict.problems, standing.why],
      notes: standing.member ? [`${header.peerId} is a member: ${standing.why}`] : []
    })
  }
})

const show = command({
  command: 'show',
  describe: "print the ledger's entries, oldest first",
  builder: (argv) =>
    withFlags(argv, {
      ...homeFlag,
      ...jsonFlag,
      ...formerFlag,
      since: {
        type: 'string',
        describe: 'only what came after this: a date such as 2026-03-01T08:00:00Z, or a time back such as 90m, 24h, 7d'
      },
      peer: { type: 'string', describe: 'only what concerns this peer id (or its last characters)' }
    }),
  handler: async ({ home, json, former, since, peer }) => {
    const { folder, owner } = await ledgerOf(home, former)
    const filter = { since: since == null ? undefined : parseSince(since, Date.now()), peer }
    let shown = 0
    const verdict = await verifyLedger(folder, owner, (entry) => {
      if (!matches(entry, filter)) return
      if (json) printPart(printable(`${shown === 0 ? '[' : ','}${JSON.stringify(entry)}`))
      else printLines(printableLine(describeEntry(entry)))
      shown++
    })
    if (json) printPart(shown === 0 ? '[]\n' : ']\n')
    else if (shown === 0) printLines('no such entry')
    complain(verdict.problems)
  }
})

const exportLedger = command({
  command: 'export',
  describe: 'write the ledger as one signed file for a third party',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag, out: { type: 'string', describe: 'file to write', demandOption: true } }),
  handler: async ({ home, json, out }) => {
    const paths = sitePaths(home)
    const { count, hash, notes } = await exportBundle(out, {
      folder: paths.audit,
      expected: await ownerOf(home),
      key: await loadIdentity(paths.identity),
      credential: await readCredential(paths.certificate),
      now: Date.now
    })
    print(json, { out, count, hash, notes }, `${out}: ${count} entries, the last is ${hash}`)
  }
})

const reconcile = command({
  command: 'reconcile <a> <b>',
  describe: "hold two sites' ledgers (homes or exported bundles) against each other, exchange by exchange",
  builder: (argv) =>
    withFlags(argv, jsonFlag).positional('a', { type: 'string', demandOption: true }).positional('b', {
      type: 'string',
      demandOption: true
    }),
  handler: async ({ a, b, json }) => {
    const [left, right] = [await readAccount(a), await readAccount(b)]
    if (left.federation !== right.federation) throw new UsageError('the two ledgers are of different federations')
    if (left.account.peerId === right.account.peerId) throw new UsageError('both ledgers are of the same site')
    const result = compare(left.account, right.account)
    print(json, result, () => describeReconciliation(result))
    for (const [home, { account }] of [[a, right], [b, left]] as const) await tellDaemon(home, account.peerId, result.differences.length)
    if (!result.ok) process.exitCode = 1
  }
})

export const audit: CommandModule = {
  command: 'audit',
  describe: 'what this site did, with whom and when, and the proof that nothing was changed',
  builder: (argv) =>
    argv.command(verify).command(show).command(dossier).command(exportLedger).command(reconcile).demandCommand(
      1,
      'say what to do: audit verify, show, dossier, export or reconcile'
    ),
  handler: () => {}
}

/** The site that runs in one of the two homes shows what was found. */
async function tellDaemon (home: string, peerId: string, differences: number): Promise<void> {
  // A bundle is no home, and where no daemon runs nobody has to be told.
  await askControl(home, '/ledger/reconciled', { peerId, differences }).catch(() => undefined)
}

function report (json: boolean, verdict: LedgerCheck): void {
  const { ok, count, hash, notes, problems } = verdict
  print(json, verdict, () => [
    ok ? `verified: ${count} entries up to the point ${count}:${hash}` : `NOT verified: only ${count} entries hold`,
    ...notes.map((note) => `note: ${note}`)
  ].join('\n'))
  complain(problems)
}

function complain (problems: readonly string[]): void {
  if (problems.length === 0) return
  warn(`the ledger does not verify: ${problems.join('; ')}`)
  process.exitCode = 1
}

function parsePoint (text: string): ChainPoint {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text)
  if (match == null) throw new UsageError('--point must be COUNT:HASH as audit verify prints them')
  return { count: Number(match[1]), hash: match[2]! }
}

function describeReconciliation ({ ok, matched, failed, explained, differences }: Reconciliation): string {
  return [
    `the ledgers ${ok ? 'agree' : 'DIFFER'}: ${matched} exchanges match, ${failed} changed nothing at either site, ` +
    `${explained.length} are explained, ${differences.length} differ`,
    ...explained.map(({ id, why }) => `explained  ${id}  ${why}`),
    ...differences.map(({ id, what }) => `differs    ${id}  ${what}`)
  ].join('\n')
}
