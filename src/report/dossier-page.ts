import { html, type Markup } from './markup.ts'
import { card, checkList, NOTHING, renderHtml, table, tableRow, tiles, type Judged } from './page.ts'

type Row = readonly string[]

/** What the page for the data protection officer says; figures are in words already. */
export interface DossierFacts {
  readonly site: string
  readonly federation: string
  readonly made: string
  readonly period: string
  readonly tiles: readonly (readonly [value: string, name: string])[]
  readonly checks: readonly { readonly name: string, readonly detail: string, readonly holds: boolean }[]
  /** Site, exchanges, failed, sent, received, first, last. */
  readonly partners: readonly Row[]
  readonly months: readonly Row[]
  readonly scores: readonly Row[]
  readonly document: readonly Row[]
  readonly policy: readonly Row[]
  readonly membership: readonly Row[]
  readonly refusals: readonly Row[]
}

/** One HTML file without scripts, of which nothing is fetched. */
export function dossierPage (facts: DossierFacts): string {
  return renderHtml({ title: `What left ${facts.site}`, body: bodyOf(facts) })
}

function bodyOf (facts: DossierFacts): Markup {
  const checks = facts.checks.map(({ name, detail, holds }): Judged => ({ name, detail, mark: holds ? 'holds' : 'fails' }))
  return html`
<h1>What left ${facts.site}</h1>
<p class="lead">Federation “${facts.federation}”, ${facts.period}. Made ${facts.made} from the audit ledger, the document and the policy
of this site.</p>
${tiles(facts.tiles)}
${card('Verified', checkList(checks))}
${part('To whom, and when', ['site', 'exchanges', 'failed or in doubt', 'sent', 'received', 'first', 'last'], facts.partners, VECTORS)}
${part('By month', ['month (UTC)', 'exchanges', 'sent', 'received'], facts.months)}
${part('Scores told to all sites', ['when', 'of what', 'how much'], facts.scores, SCORES)}
${part('Under which document', ['setting', 'value'], facts.document)}
${part("This site's policy", ['line', 'policy', 'document'], facts.policy, POLICY)}
${part('Membership', ['when', 'what', 'whom'], facts.membership)}
${part('Refused', ['what', 'how often'], facts.refusals)}`
}

const VECTORS = 'An exchange sends the shared parameters of the model and nothing else. Images, masks, file names, patients and the ' +
  'parameters that this site keeps never enter the process that talks to others. The ledger has the SHA-256 and length of each vector, ' +
  'not the vector.'
const SCORES = 'Means over at least five patients with their intervals, for each class.'
const POLICY = 'As policy.json is now; the ledger does not keep what it said before.'

function part (title: string, head: Row, rows: readonly Row[], note = ''): Markup {
  if (rows.length === 0) return NOTHING
  return card(title, html`${note === '' ? NOTHING : html`<p class="note">${note}</p>`}${table(head, rows.map((cells) => tableRow(cells)))}`)
}
