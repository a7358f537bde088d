import { finalDiceChart } from '../../../src/report/charts.ts'
import { html, type Markup } from '../../../src/report/markup.ts'
import { chart, legend, NOTHING, renderHtml, swatch } from '../../../src/report/page.ts'
import { siteColour } from '../../../src/report/palette.ts'
import { outlineLegend, pixels, SCORE_WORDS, shotStrip } from '../../../src/report/shots.ts'
import type { Picture } from './pictures.ts'
import type { Report } from './report.ts'
import { technicalPart } from './technical-part.ts'
import { describeOutcome, outcomeOf, type Outcome } from './verdict.ts'

export interface PageInput {
  readonly report: Report
  readonly pictures: readonly Picture[]
  /** The bundled sample: one subject in four simulated guises. */
  readonly sample: boolean
}

/** OUT/report.html: one file that needs neither network nor scripts. */
export function renderPage ({ report, pictures, sample }: PageInput): string {
  const body = html`${heading(report)}
${failures(report.checks)}
${summary(report, pictures)}
${pictures.length === 0 ? NOTHING : pictureSections(report, pictures)}
${diceSection(report)}
${glossary(report)}
${about(report, sample)}
${technicalPart(report)}`
  return renderHtml({ title: `${report.hospitals.length} hospitals learned together: Consilium testnet`, body })
}

function heading (report: Report): Markup {
  const { hospitals, crossSite, engine, provider } = report
  const rounds = Math.max(...hospitals.map((each) => each.rounds))
  const gone = hospitals.filter(({ exitCode }) => exitCode !== 0)
  return html`<h1>${hospitals.length} hospitals learned together</h1>
<p class="lead">${hospitals.length} hospitals trained one model that outlines organs, in ${rounds} rounds. Each kept its images and a
private part of the model; only the shared part was averaged, two hospitals at a time, with no server.${
    crossSite == null
      ? ''
      : ` Each hospital was also trained alone with the same budget: on the other hospitals' images the shared model reaches a Dice of ${
        crossSite.global.toFixed(3)
      }, the models trained alone ${crossSite.local.toFixed(3)}.`
  }${
    gone.length === 0
      ? ''
      : ` ${gone.map(({ name }) => name).join(' and ')} did not finish; the figures below count those that did.`
  }</p>
<p class="note">Simulated by ${hospitals.length} separate processes on this machine.
Seed ${report.seed}, method ${report.method}, engine ${engine} on ${provider},
federation ${report.federation.slice(0, 12)}…</p>`
}

/** What failed is said above the fold. */
function failures (checks: Report['checks']): Markup {
  const failed = checks.filter(({ ok, kind }) => !ok && kind === 'result')
  if (failed.length === 0) return NOTHING
  return html`<p class="alarm">${failed.length} of ${checks.length} checks ${failed.length === 1 ? 'does' : 'do'} not hold: ${
    failed.map(({ name }) => name).join('; ')}. See the technical part below.</p>`
}

const WORDS = { gained: 'gained', lost: 'lost', same: 'no change', unknown: 'unknown' } as const

function summary (report: Report, pictures: readonly Picture[]): Markup {
  const { hospitals } = report
  const compared = hospitals.some(({ dice }) => dice.local != null)
  const named = (wanted: Outcome): string => {
    const names = hospitals.filter((each) => outcomeOf(each) === wanted).map(({ name }) => name)
    return names.length === 0 ? 'none' : names.join(', ')
  }
  return html`<section class="card"><h2>Who gained, who lost</h2>
<p class="note">${compared ? 'Against the same hospital trained alone.' : 'Against the model before any training.'}
<b>Gained:</b> ${named('gained')}. <b>Lost:</b> ${named('lost')}.${hospitals.some((each) => outcomeOf(each) === 'same')
    ? html` <b>No change:</b> ${named('same')}.`
    : NOTHING}</p>
${hospitals.map((each, index) => {
    const outcome = outcomeOf(each)
    const sentences = describeOutcome(each, pictures.find(({ name }) => name === each.name))
    return html`<div class="verdict"><h3>${swatch(siteColour(index))}${each.name}
<span class="mark ${outcome === 'gained' ? 'good' : outcome === 'lost' ? 'bad' : 'missed'}">${WORDS[outcome]}</span></h3>
<p>${sentences.join(' ')}</p></div>`
  })}</section>`
}

/** The worst case comes first. */
function pictureSections (report: Report, pictures: readonly Picture[]): Markup {
  const key = outlineLegend()
  const sorted = [...pictures].sort((a, b) => a.worst.scores.personal.dice - b.worst.scores.personal.dice)
  const all = (kind: 'worst' | 'typical', some: readonly Picture[]): Markup[] => some.map((picture) =>
    shots(kind, picture, report.hospitals.findIndex(({ name }) => name === picture.name)))
  return html`<section class="card"><h2>The worst image of each hospital</h2>
<p class="note">Of the images that training never saw, the one on which the hospital's own model does worst; the worst of all first.
Frozen is the model before any training, global the one that all share, personalised the hospital's own.</p>
${key}${all('worst', sorted)}</section>
<section class="card"><h2>A typical image of each hospital</h2>
<p class="note">The one whose organ is of median size, chosen without looking at results. No prompt is given.</p>
${key}${all('typical', pictures)}</section>`
}

function shots (kind: 'worst' | 'typical', picture: Picture, index: number): Markup {
  return html`<h3 class="legend"><span>${swatch(siteColour(index))}${picture.name}</span></h3>
${shotStrip(picture[kind], { name: picture.name, id: `${kind}-${index}` })}
${kind === 'worst'
    ? NOTHING
    : html`<p class="note">Mean HD95 over all its images: frozen ${pixels(picture.hd95.frozen)}, global ${pixels(picture.hd95.global)},
personalised ${pixels(picture.hd95.personal)}.</p>`}`
}

function glossary ({ hospitals }: Report): Markup {
  const words: (readonly [string, string])[] = [
    ...SCORE_WORDS,
    ['frozen', 'the model as it was before any hospital trained it.'],
    ...hospitals.some(({ dice }) => dice.local != null)
      ? [['alone', 'trained as long, on this hospital only.'] as [string, string]]
      : [],
    ['global', 'the part that all hospitals share: the average of what each of them learnt.'],
    ['personalised', "the hospital's own model: the shared part, and private experts that never leave it."],
    ['validation images', 'images with an outline drawn by a person that were kept out of training; every figure here is measured on them.']
  ]
  return html`<section class="card"><h2>What the words mean</h2>
<dl>${words.map(([word, meaning]) => html`<dt>${word}</dt><dd>${meaning}</dd>`)}</dl></section>`
}

function diceSection (report: Report): Markup {
  const alone: [string, string][] = report.hospitals.some(({ dice }) => dice.local != null) ? [['trained alone', 'var(--alone)']] : []
  return html`<section class="card"><h2>Dice at the end</h2>
${legend([['frozen SAM', 'var(--frozen)'], ...alone, ['global adapter', '#56b4e9'], ['personalised', 'var(--accent)']])}
<p class="hint swipe">Swipe the chart sideways to see all hospitals.</p>
${chart('Chart: Dice of each model at each hospital', finalDiceChart(report))}</section>`
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
  }…).</p></section>`
}
