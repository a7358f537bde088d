import { bytesChart, consensusChart, diceChart, finalDiceChart } from '../../../src/report/charts.ts'
import { html, Markup } from '../../../src/report/markup.ts'
import { siteColour } from '../../../src/report/palette.ts'
import { STYLE } from '../../../src/report/style.ts'
import { meanDice } from '../checks.ts'
import type { Picture } from '../pictures.ts'
import type { Check, HospitalReport, Report } from '../report.ts'

export interface PageInput {
  readonly report: Report
  readonly pictures: readonly Picture[]
  /** The bundled sample: one subject in four simulated guises. */
  readonly sample: boolean
}

/** OUT/report.html: one file that needs neither network nor scripts. */
export function renderPage ({ report, pictures, sample }: PageInput): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${report.hospitals.length} hospitals learned together: Consilium testnet</title>
<style>${new Markup(STYLE)}</style>
</head>
<body><main>
${heading(report)}
${tiles(report)}
${checks(report.checks)}
${pictures.length === 0 ? new Markup('') : pictureSection(report, pictures)}
${diceSection(report)}
${curves(report)}
${table(report)}
${about(report, sample)}
</main></body>
</html>
`
  return page.text
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

function checks (list: readonly Check[]): Markup {
  const failed = list.filter(({ ok }) => !ok).length
  return html`<section class="card"><h2>Checks</h2>
<p class="note">${failed === 0 ? `All ${list.length} hold.` : `${failed} of ${list.length} do not hold.`}</p>
<ul class="checks">${
    list.map(({ name, ok, detail, kind }) =>
      html`<li><span class="mark ${ok ? 'good' : kind === 'measure' ? 'missed' : 'bad'}">${
        ok ? 'holds' : kind === 'measure' ? 'missed' : 'fails'
      }</span><span>${name}</span><span class="detail">${detail}</span></li>`
    )
  }</ul></section>`
}

function pictureSection ({ hospitals }: Report, pictures: readonly Picture[]): Markup {
  return html`<section class="card"><h2>What the models see</h2>
<p class="note">Per hospital the validation image whose foreground is of median size, chosen without looking at results. No prompt is
given.</p>
${pictures.map((picture) => strip(picture, hospitals.findIndex(({ name }) => name === picture.name)))}</section>`
}

function strip (picture: Picture, index: number): Markup {
  const id = `shot-${index}`
  const panel = (label: string, overlay?: string): Markup =>
    html`<figure><div class="shot ${id}" role="img" aria-label="${picture.name}: ${label}">${
      overlay == null ? new Markup('') : html`<img alt="" src="${overlay}">`
    }</div><figcaption>${label}</figcaption></figure>`
  return html`<h3 class="legend"><span><i style="background: ${siteColour(index)}"></i>${picture.name}</span></h3>
<style>.${id} { background-image: url(${picture.image}); aspect-ratio: ${picture.width} / ${picture.height} }</style>
<div class="strip">${[
  panel('image'),
  panel('truth', picture.truth),
  panel(`frozen SAM, Dice ${picture.dice.frozen.toFixed(3)}`, picture.frozen),
  panel(`personalised, Dice ${picture.dice.personal.toFixed(3)}`, picture.personal)
]}</div>`
}

function legend (entries: readonly [string, string][]): Markup {
  return html`<div class="legend">${entries.map(([name, colour]) => html`<span><i style="background: ${colour}"></i>${name}</span>`)}</div>`
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

function table ({ hospitals }: Report): Markup {
  const withLocal = hospitals.some(({ dice }) => dice.local != null)
  const head = [
    'hospital',
    'rounds',
    'images',
    'exchanges',
    'frozen',
    ...(withLocal ? ['alone'] : []),
    'global',
    'personal',
    'loop p99',
    'ended'
  ]
  return html`<section class="card"><h2>Hospitals</h2><div class="scroll"><table><thead><tr>${
    head.map((name) => html`<th>${name}</th>`)
  }</tr></thead>
<tbody>${
    hospitals.map((each) => html`<tr>${cells(each, withLocal).map((text) => html`<td>${text}</td>`)}</tr>`)
  }</tbody></table></div></section>`
}

function cells (each: HospitalReport, withLocal: boolean): string[] {
  const { dice } = each
  return [
    each.name + (each.restarts > 0 ? ' (restarted)' : ''),
    String(each.rounds),
    each.images == null ? '–' : `${each.images} + ${each.validationImages ?? 0}`,
    String(each.exchanges),
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
