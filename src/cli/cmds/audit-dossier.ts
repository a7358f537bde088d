import { ledgerOf } from '../../audit/account.ts'
import { readDossier, type Dossier } from '../../audit/dossier.ts'
import { differences } from '../../federation/amendments/changes.ts'
import { numberOf, quorumOf, readFederation, unsigned, type Federation } from '../../federation/document.ts'
import { comparePolicy } from '../../federation/policy.ts'
import { loadConfig } from '../../home/config/load.ts'
import { writeFileSafely } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { readPolicy } from '../../home/policy.ts'
import type { DossierFacts } from '../../report/dossier-page.ts'
import { methodInWords } from '../../settings/methods/index.ts'
import type { Policy } from '../../settings/site/policy.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print, warn } from '../output.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  former: { type: 'string', describe: 'of the ledger of this site under its peer id (or the last 8 characters) before "id rotate"' },
  out: { type: 'string', describe: 'HTML file to write, for this user alone', demandOption: true }
} as const

export const dossier = command({
  command: 'dossier',
  describe: 'write one page for the data protection officer: what left, to whom, when, under which document and policy, verified',
  builder: (argv) => withFlags(argv, flags),
  handler: async ({ home, json, former, out }) => {
    const paths = sitePaths(home)
    const { folder, owner } = await ledgerOf(home, former)
    const [federation, policy] = [await readFederation(paths.federation), await readPolicy(paths.policy)]
    const found = await readDossier(folder, owner)
    const site = (await loadConfig(paths.config, {})).name ?? owner.peerId.slice(-8)
    const { dossierPage } = await import('../../report/dossier-page.ts')
    await writeFileSafely(out, dossierPage(factsOf(found, { site, peerId: owner.peerId, federation, policy })))
    const { check: { ok, count, problems }, partners } = found
    print(json, { out, ok, entries: count, partners: partners.length }, `${out}: ${count} entries, ${partners.length} other sites`)
    if (ok) return
    warn(`the ledger does not verify, and the page says so: ${problems.join('; ')}`)
    process.exitCode = 1
  }
})

interface Around {
  readonly site: string
  readonly peerId: string
  readonly federation: Federation
  readonly policy: Policy
}

function factsOf (found: Dossier, around: Around): DossierFacts {
  const { from, to, partners, months, scores, membership, refusals } = found
  const { site, federation: { document } } = around
  return {
    site,
    federation: document.name,
    made: new Date().toISOString(),
    period: from == null ? 'nothing is written yet' : `${from} to ${to}`,
    tiles: tilesOf(found),
    checks: checksOf(found, around),
    partners: partners.map(({ peerId, name, committed, others, bytesSent, bytesReceived, first, last }) => [
      `${name ?? ''} …${peerId.slice(-8)}`, String(committed), String(others), megabytes(bytesSent), megabytes(bytesReceived), first, last
    ]),
    months: months.map(({ month, exchanges, bytesSent, bytesReceived }) =>
      [month, String(exchanges), megabytes(bytesSent), megabytes(bytesReceived)]),
    scores: scores.map(({ t, what, detail }) => [t, what, detail]),
    document: documentRows(around.federation),
    policy: policyRows(around),
    membership: membership.map(({ t, what, detail }) => [t, what, detail]),
    refusals: [...refusals].map(([what, times]) => [what, String(times)])
  }
}

function tilesOf ({ rounds, partners, privacy }: Dossier): DossierFacts['tiles'] {
  const total = (of: 'committed' | 'bytesSent'): number => partners.reduce((sum, each) => sum + each[of], 0)
  return [
    [String(rounds), 'rounds trained'],
    [String(partners.length), 'sites exchanged with'],
    [String(total('committed')), 'exchanges'],
    [megabytes(total('bytesSent')), 'sent in exchanges'],
    ...(privacy == null ? [] : [[privacy.epsilon.toFixed(2), `ε spent per ${privacy.unit}, last on ${privacy.t}`] as const])
  ]
}

function checksOf ({ check }: Dossier, { peerId, federation, policy }: Around): DossierFacts['checks'] {
  const { ok, count, hash, problems, notes } = check
  const beyond = comparePolicy(policy, federation.document).filter(({ isWithin }) => !isWithin)
  return [
    {
      name: `The ledger of ${peerId} has no edit, gap or cut up to its signed head`,
      detail: ok ? `point ${count}:${hash.slice(0, 12)}` : problems.join('; '),
      holds: ok
    },
    ...notes.map((note) => ({ name: `Note: ${note}`, detail: '', holds: true })),
    { name: 'The document carries the signatures it needs', detail: federation.id.slice(0, 12), holds: true },
    {
      name: "The document is within this site's policy",
      detail: beyond.map(({ name }) => name).join(', '),
      holds: beyond.length === 0
    }
  ]
}

function documentRows ({ id, document }: Federation): DossierFacts['document'] {
  const { founders, quorum, signatures } = document
  const { model, training, averaging, method, labels, privacy, start } = unsigned(document)
  return [
    ['federation', id],
    ['amendment', String(numberOf(document))],
    ['signed by', `${signatures.length} of ${founders.length} founders, of whom it takes ${quorumOf({ founders, quorum })}`],
    ['trains by', methodInWords(document)],
    ...differences({}, { model, training, averaging, method, labels, privacy, start }).map(({ name, after }) => [name, words(after)])
  ]
}

function policyRows ({ policy, federation }: Around): DossierFacts['policy'] {
  const { document: _, ...own } = policy
  return [
    ...comparePolicy(policy, federation.document).map(({ name, policy: allowed, document }) => [name, allowed, document]),
    ...Object.entries(own).map(([name, value]) => [name, words(value), ''])
  ]
}

function words (value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function megabytes (bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
