import { bytesChart, consensusChart, diceChart, finalDiceChart } from '../../../src/report/charts.ts'
import { html, Markup } from '../../../src/report/markup.ts'
import { checkList, legend, NOTHING, renderHtml, strip, table, tableRow } from '../../../src/report/page.ts'
import { siteColour } from '../../../src/report/palette.ts'
import { meanDice } from '../checks/checks.ts'
import { describeParticipation, describeSteps } from './participation.ts'
import type { Picture } from './pictures.ts'
import type { HospitalReport, Report, ReportCheck } from './report.ts'

export interface PageInput {
  readonly report: Report
  readonly pictures: readonly Picture[]
  /** The bundled sample: one subject in four simulated guises. */
  readonly sample: boolean
}

/** OUT/report.html: one file that needs neither network nor scripts. */
export function renderPage ({ report, pictures, sample }: PageInput): string {
  const body = html`${heading(report)}
${tiles(report)}
${checks(report.checks)}
${pictures.length === 0 ? NOTHING : pictureSection(report, pictures)}
${diceSection(report)}
${curves(report)}
${hospitalTable(report)}
${about(report, sample)}`
  return renderHtml({ title: `${report.hospitals.length} hospitals learned together: Consilium testnet`, body })
}

function heading (report: Report): Markup {
  const { hospitals, crossSite, engine, provider } = report
  const rounds = Math.max(...hospitals.map((each) => each.rounds))
  const gone = hospitals.filter(({ exitCode }) => exitCode !== 0)
  return html`<h1>${hospitals.length} hospitals learned together</h1>
<p class="lead">${hospitals.length} daemons ran as separate processes on this machine, found each other over the DHT and adapted one
small SAM in ${rounds} rounds.
They averaged only the global adapter, in pairs; images and private experts stayed with each hospital, and no server was involved.${
    crossSite == null
      ? ''
      : ` Each hospital was also trained alone with the same budget: on the other hospitals' images the shared adapter reaches a Dice of ${
        crossSite.global.toFixed(3)
      }, the models trained alone ${crossSite.local.toFixed(3)}.`
  }${
    gone.length === 0
      ? ''
      : ` ${gone.map(({ name }) => name).join(' and ')} did not finish; the figures below count those that did.`
  }</p>
<p class="note">Seed ${report.seed}, method ${report.method}, engine ${engine} on ${provider},
federation ${report.federation.slice(0, 12)}…</p>`
}

function tiles (report: Report): Markup {
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
  return html`<div class="tiles">${all.map(([value, label]) => html`<div class="tile"><b>${value}</b><span>${label}</span></div>`)}</div>`
}

function figure (value: number | null): string {
  return value == null || Number.isNaN(value) ? '–' : value.toFixed(3)
}

function checks (list: readonly ReportCheck[]): Markup {
  const failed = list.filter(({ ok }) => !ok).length
  return html`<section class="card"><h2>Checks</h2>
<p class="note">${failed === 0 ? `All ${list.length} hold.` : `${failed} of ${list.length} do not hold.`}</p>
${
    checkList(list.map(({ name, ok, detail, kind }) => ({ name, detail, mark: ok ? 'holds' : kind === 'measure' ? 'missed' : 'fails' })))
  }</section>`
}

function pictureSection ({ hospitals }: Report, pictures: readonly Picture[]): Markup {
  return html`<section class="card"><h2>What the models see</h2>
<p class="note">Per hospital the validation image whose foreground is of median size, chosen without looking at results. No prompt is
given.</p>
${pictures.map((picture) => shots(picture, hospitals.findIndex(({ name }) => name === picture.name)))}</section>`
}

function shots (picture: Picture, index: number): Markup {
  const panels = [
    { label: 'image', overlay: '' },
    { label: 'truth', overlay: picture.truth },
    { label: `frozen SAM, Dice ${picture.dice.frozen.toFixed(3)}`, overlay: picture.frozen },
    { label: `personalised, Dice ${picture.dice.personal.toFixed(3)}`, overlay: picture.personal }
  ]
  return html`<h3 class="legend"><span><i style="background: ${siteColour(index)}"></i>${picture.name}</span></h3>
${strip({ ...picture, id: `shot-${index}`, panels })}`
}

function diceSection (report: Report): Markup {
  const alone: [string, string][] = report.hospitals.some(({ dice }) => dice.local != null) ? [['trained alone', 'var(--alone)']] : []
  return html`<section class="card"><h2>Dice at the end</h2>
${legend([['frozen SAM', 'var(--frozen)'], ...alone, ['global adapter', '#56b4e9'], ['personalised', 'var(--accent)']])}
${new Markup(finalDiceChart(report))}</section>`
}

function curves (report: Report): Markup {
  const sites = report.hospitals.map(({ name }, index): [string, string] => [name, siteColour(index)])
  return html`<div class="pair"><section class="card"><h2>Dice per round</h2>
${
    legend(sites)
  }<div class="legend"><span><i class="stroke"></i>personalised</span><span><i class="stroke dash"></i>global adapter</span></div>
${new Markup(diceChart(report))}</section>
<section class="card"><h2>How far the hospitals are apart</h2>
<p class="hint">Spread of the global adapters, relative to how far they have moved from the start; exact, from the saved files.</p>
${new Markup(consensusChart(report))}</section></div>
<section class="card"><h2>What left each hospital</h2>
${legend([['sent', 'var(--accent)'], ['received', '#56b4e9']])}
${new Markup(bytesChart(report))}</section>`
}

function hospitalTable ({ hospitals, stepsPerRound }: Report): Markup {
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
  return html`<section class="card"><h2>Hospitals</h2>${
    table(head, hospitals.map((each) => tableRow(cells(each, withLocal))))
  }</section>
${classTable(hospitals)}
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

function about (report: Report, sample: boolean): Markup {
  const data = sample
    ? html`<p>All hospitals show <strong>one subject</strong>: a single T1 brain MRI (Colin 27), cut and altered in four ways by plane,
    contrast, bias field, noise and blur. These are simulated shifts.
Training and validation images come from separate slabs with a gap, because neighbouring slices resemble each other. The figures show
that the system works on a real scan; they claim nothing about accuracy on patients.</p>`
    : html`<p>Data: ${report.data}. Dice is measured on each hospital's own validation split, which training never saw; the split and
    the number of images decide what it means.</p>`
  return html`<section class="card"><h2>What these figures are</h2>
${data}
<p>Base weights: ${report.baseModel}, a small SAM trained on procedurally drawn shapes only, never on medical images (SHA-256 ${
    report.baseHash.slice(0, 16)
  }…). Images: training + validation. Loop p99: delay of the daemon's event loop, 99th percentile.</p></section>`
}
