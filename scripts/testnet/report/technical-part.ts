import { bytesChart, consensusChart, diceChart } from '../../../src/report/charts.ts'
import { html, type Markup } from '../../../src/report/markup.ts'
import { chart, checkList, legend, table, tableRow, tiles } from '../../../src/report/page.ts'
import { siteColour } from '../../../src/report/palette.ts'
import { meanDice } from '../checks/checks.ts'
import { describeParticipation, describeSteps } from './participation.ts'
import type { HospitalReport, Report, ReportCheck } from './report.ts'

/** Under a fold: what an engineer looks at. */
export function technicalPart (report: Report): Markup {
  return html`<details class="fold"><summary>Technical part: checks, rounds, traffic</summary>
${figures(report)}
${checks(report.checks)}
${curves(report)}
${hospitalTable(report)}</details>`
}

function figure (value: number | null): string {
  return value == null || Number.isNaN(value) ? '–' : value.toFixed(3)
}

function figures (report: Report): Markup {
  const finished = report.hospitals.filter(({ exitCode }) => exitCode === 0)
  const last = report.consensus.findLast(({ round }) => round == null)
  const bytes = report.hospitals.reduce((sum, { bytesSent }) => sum + bytesSent, 0)
  const all: [string, string][] = [
    [figure(meanDice(finished, 'personal')), 'mean Dice, personalised'],
    [figure(meanDice(finished, 'global')), 'mean Dice, global adapter'],
    [figure(meanDice(finished, 'frozen')), 'mean Dice, frozen SAM'],
    [last == null ? '–' : last.distance < 1e-3 ? '< 0.001' : last.distance.toPrecision(2), 'relative consensus distance'],
    [`${(bytes / 1e6).toFixed(1)} MB`, 'sent by all hospitals'],
    [`${Math.round(report.wallSeconds)} s`, `from first command to report${report.crossSite == null ? '' : ', training alone not counted'}`]
  ]
  return tiles(all)
}

function checks (list: readonly ReportCheck[]): Markup {
  const failed = list.filter(({ ok }) => !ok).length
  return html`<section class="card"><h2>Checks</h2>
<p class="note">${failed === 0 ? `All ${list.length} hold.` : `${failed} of ${list.length} do not hold.`}</p>
${
    checkList(list.map(({ name, ok, detail, kind }) => ({ name, detail, mark: ok ? 'holds' : kind === 'measure' ? 'missed' : 'fails' })))
  }</section>`
}

function curves (report: Report): Markup {
  const sites = report.hospitals.map(({ name }, index): [string, string] => [name, siteColour(index)])
  return html`<div class="pair"><section class="card"><h2>Dice per round</h2>
${
    legend(sites)
  }<div class="legend"><span><i class="stroke"></i>personalised</span><span><i class="stroke dash"></i>global adapter</span></div>
${chart('Chart: Dice of each hospital after each round, as the table of hospitals has it at the end', diceChart(report))}</section>
<section class="card"><h2>How far the hospitals are apart</h2>
<p class="hint">Spread of the global adapters, relative to how far they have moved from the start; exact, from the saved files.</p>
${chart('Chart: the spread after each round', consensusChart({ ...report, limit: 0.1 }))}</section></div>
<section class="card"><h2>What left each hospital</h2>
${legend([['sent', 'var(--accent)'], ['received', '#56b4e9']])}
${chart('Chart: megabytes that each hospital sent and received', bytesChart(report))}</section>`
}

function readerLines (readers: Report['readers'] = []): Markup[] {
  return readers.map(({ name, rounds, reads, masks }) =>
    html`<p>${name} has no labels: it read ${reads} times, up to round ${rounds}, moved nobody, and its model made ${masks} masks.</p>`)
}

function hospitalTable ({ hospitals, readers, stepsPerRound }: Report): Markup {
  const withLocal = hospitals.some(({ dice }) => dice.local != null)
  const head = [
    'hospital',
    'rounds',
    'images',
    'exchanges',
    'steps that arrived',
    'frozen',
    ...(withLocal ? ['alone'] : []),
    'global',
    'personal',
    'loop p99',
    'ended'
  ]
  return html`<section class="card"><h2>Hospitals</h2>
<p class="note">Images: training + validation. Loop p99: delay of the daemon's event loop, 99th percentile.</p>${
    table(head, hospitals.map((each) => tableRow(cells(each, withLocal))))
  }</section>
${classTable(hospitals)}
${readerLines(readers)}
<section class="card"><h2>Whose learning arrived</h2>
<p class="note">A step arrives once an exchange has carried it, whole, to another hospital.</p>
${hospitals.map((each) => html`<p>${describeParticipation(each, stepsPerRound)}</p>`)}</section>`
}

/** Nothing where the federation names no classes. */
function classTable (hospitals: Report['hospitals']): Markup {
  const rows = hospitals.flatMap(({ name, classes = {} }) => Object.entries(classes).map(([label, { frozen, global, personal }]) =>
    tableRow([name, label, figure(frozen), figure(global), figure(personal)])))
  if (rows.length === 0) return html``
  return html`<section class="card"><h2>Dice by class</h2>
<p class="note">Over the validation images that show the class.</p>
${table(['hospital', 'class', 'frozen', 'global', 'personal'], rows)}</section>`
}

function cells (each: HospitalReport, withLocal: boolean): string[] {
  const { dice } = each
  return [
    each.name + (each.restarts > 0 ? ' (restarted)' : ''),
    String(each.rounds),
    each.images == null ? '–' : `${each.images} + ${each.validationImages ?? 0}`,
    String(each.exchanges),
    describeSteps(each),
    figure(dice.frozen),
    ...(withLocal ? [figure(dice.local)] : []),
    figure(dice.global),
    figure(dice.personal),
    each.eventLoopP99Ms == null ? '–' : `${each.eventLoopP99Ms.toFixed(1)} ms`,
    each.signal ?? (each.exitCode === 0 ? 'well' : `exit code ${each.exitCode}`)
  ]
}
