import { html, Markup } from '../../../src/report/markup.ts'
import { checkList, legend, NOTHING, renderHtml, strip, table, tableRow } from '../../../src/report/page.ts'
import { STYLE } from '../../../src/report/style.ts'
import { findings } from '../criteria.ts'
import type { Finding } from '../finding.ts'
import { conditionName, labellingInWords } from '../labels.ts'
import type { Preset } from '../presets.ts'
import type { DataSummary, MethodSummary } from '../summary.ts'
import { byteBars, curves, diceBars, methodColour, siteBars } from './charts.ts'
import type { Strip } from './pictures.ts'
import { cellsOf, crossTable, headOf, labelTable, noiseInWords, siteCellsOf, unseenTable } from './text.ts'

export interface PageInput {
  readonly name: string
  readonly preset: Preset
  readonly summaries: readonly DataSummary[]
  readonly strips: ReadonlyMap<string, readonly Strip[]>
  /** SHA-256 of the base. */
  readonly base: string
}

const OWN_STYLE =
  'main { max-width: 1180px } .strip { grid-template-columns: repeat(6, 1fr) } @media (max-width: 900px) { .strip { ' +
    'grid-template-columns: repeat(3, 1fr) } } tr.ours td { font-weight: 600 } tr.ablation td:first-child { padding-left: 14px }'
const WHAT: Readonly<Record<string, string>> = {
  'fundus-phantom':
    'Simulated: colour photographs of the optic nerve head, drawn by this repository; the organ is the optic cup. No patient was ' +
      'photographed.',
  'prostate-phantom':
    'Simulated: T2-like sections of the male pelvis, drawn by this repository; the organ is the prostate. No patient was scanned.',
  'prostate-modality':
    'Simulated: sections of the male pelvis, drawn by this repository; three of six scanners show tissues as T2 does, three with their ' +
      'contrast inverted. The organ is the prostate. No patient was scanned.',
  'prostate-conflict':
    'Simulated: sections of the male pelvis, drawn by this repository. Three of six scanners outline the whole prostate, three its ' +
      'transition zone alone. No patient was scanned.',
  'two-organs':
    'Simulated: four eye clinics and six MR scanners in one federation, drawn by this repository; the organ is the optic cup, or the ' +
      'prostate. No patient was photographed or scanned.',
  colin27:
    'One real head (Colin 27, T1 MRI) cut and altered in four ways: the sites are simulated, and slices of one subject resemble each other.'
}

const OF_FOLDER = 'Images of the folder of this name, one data folder per site, split by subject; none of them is shown here.'

/** One file that needs neither network nor scripts. */
export function renderPage ({ name, preset, summaries, strips, base }: PageInput): string {
  const body = html`<h1>Does joining pay?</h1>
<p class="lead">Methods through one training code on the same images, with the same number of optimiser steps per site. Means ±
standard deviation over seeds ${
    preset.seeds.join(', ')
  }; Dice and IoU in points, HD95 in pixels.
${
    preset.data.every((each) => typeof each === 'string') ? html`<strong>All sites are simulated</strong>: these` : 'These'
  } figures compare methods and claim nothing about accuracy on patients.</p>
<p class="note">Preset ${name}: ${preset.rounds} rounds; per phantom site ${preset.train} training and ${preset.validation} validation
patients; base sam-tiny ${
    base.slice(0, 12)
  }…${said('labels of training images, simulated:', preset.labelling)}${said('settings', preset.settings)}${
    said('learning rates times', preset.rates)
  }</p>
${checks(summaries.flatMap(findings))}
${summaries.map((summary) => section(summary, strips.get(conditionName(summary)) ?? []))}
${about()}`
  return renderHtml({ title: 'pFedSAM by gossip: evidence', style: STYLE + OWN_STYLE, body })
}

/** What was asked for beside the preset; nothing where it was not. */
function said (what: string, value: unknown): string {
  return value == null ? '' : `; ${what} ${typeof value === 'string' ? value : JSON.stringify(value)}`
}

function checks (list: readonly Finding[]): Markup {
  if (list.length === 0) return NOTHING
  return html`<section class="card"><h2>What was asked</h2>${
    checkList(list.map(({ name, ok, detail }) => ({ name, detail, mark: ok ? 'holds' : 'missed' })))
  }</section>`
}

function section (summary: DataSummary, strips: readonly Strip[]): Markup {
  const main = summary.methods.filter(({ ablation }) => !ablation)
  const colours = legend(main.map(({ method, title }) => [title, colourOf(method)]))
  const { data, noise, labelling } = summary
  return html`<section class="card"><h2>${conditionName(summary)}</h2><p class="note">${WHAT[data] ?? OF_FOLDER}${
    labelling == null ? '' : ` Here ${labellingInWords(labelling)}.`
  }${noise == null ? '' : ` With ${noiseInWords(noise)}.`}</p>
${new Markup(diceBars(summary.methods))}
${methodTable(summary)}</section>
${labelSection(summary)}
<div class="pair"><section class="card"><h2>Dice per round</h2>${colours}${new Markup(curves(main))}</section>
<section class="card"><h2>Dice per site</h2>${colours}${new Markup(siteBars(main))}</section></div>
${siteTable(summary)}
${crossSection(summary)}
${unseenSection(summary)}
<section class="card"><h2>kB sent per site and round</h2><p class="hint">Log scale. A server's clients send float32; gossip counts the
codec's bytes of all exchanges, the cool-down's too.</p>${new Markup(
    byteBars(summary.methods)
  )}</section>
${strips.length === 0 ? NOTHING : pictures(strips, conditionName(summary))}`
}

/** Stand-ins for the page's variables work in charts only. */
function colourOf (method: string): string {
  const colour = methodColour(method)
  return colour.startsWith('#000a') ? 'var(--accent)' : colour
}

function row (method: MethodSummary, cells: readonly string[]): Markup {
  const kind = method.method === 'pfedsam-gossip' ? 'ours' : method.ablation ? 'ablation' : ''
  return tableRow([method.title, ...cells], kind)
}

function methodTable (summary: DataSummary): Markup {
  return table(['method', ...headOf(summary).measures], summary.methods.map((method) => row(method, cellsOf(method, summary))))
}

function siteTable (summary: DataSummary): Markup {
  return html`<section class="card"><h2>Dice by site, ${conditionName(summary)}</h2>${
    table(['method', ...headOf(summary).sites], summary.methods.map((method) => row(method, siteCellsOf(method))))
  }</section>`
}

function labelSection (summary: DataSummary): Markup {
  const { head, rows } = labelTable(summary)
  if (rows.length === 0) return NOTHING
  return html`<section class="card"><h2>Dice by kind of label, ${conditionName(summary)}</h2>
<p class="hint">Means over the sites that mark so; rows with all masks are of the same sites. Less partial: the difference from training on
what is marked alone, seed by seed. Passes: forward and backward, for each image of a step.</p>
${table(head, rows.map((cells) => tableRow(cells)))}</section>`
}

function crossSection (summary: DataSummary): Markup {
  const { head, rows } = crossTable(summary)
  if (rows.length === 0) return NOTHING
  return html`<section class="card"><h2>Every site's model on the others' images, ${conditionName(summary)}</h2>
<p class="hint">What each site serves, scored on the validation images of the others; Dice in points, the mean over pairs of sites.</p>
${table(head, rows.map((cells) => tableRow(cells)))}</section>`
}

function unseenSection (summary: DataSummary): Markup {
  const { head, rows } = unseenTable(summary)
  if (rows.length === 0) return NOTHING
  return html`<section class="card"><h2>A site that took no part, ${conditionName(summary)}</h2>
<p class="hint">One site after another is left out. Without labels: experts are fitted to what the shared adapter is sure of in its
images; after 2 rounds: with labels, alone. Beside them the mean of the other sites' models trained alone on the same images.</p>
${table(head, rows.map((cells) => tableRow(cells)))}</section>`
}

function pictures (strips: readonly Strip[], data: string): Markup {
  return html`<section class="card"><h2>What the models see, ${data}</h2><p class="note">Per site the validation image whose organ is
  of median size, first seed; Dice of this image.</p>
${
    strips.map(({ site, width, height, image, panels }, index) => {
      const shown = [{ label: 'image', overlay: '' }, ...panels.map(({ label, outline }) => ({ label, overlay: outline }))]
      return html`<h3>${site}</h3>${strip({ id: `${data}-${index}`, name: site, image, width, height, panels: shown })}`
    })
  }</section>`
}

function about (): Markup {
  return html`<section class="card"><h2>How to read this</h2>
<p>Worst site: the lowest site of each seed; sd over sites: the standard deviation of the sites of each seed. Own group: of what sites
serve of each other's adapters, the part that is of sites of their own group, themselves among it. Rand index: the groups that a method
found against those that there are, 1 for the same, 0 for chance. Global Dice: the shared adapter without a site's own experts. MB at ViT-B:
computed from that model's adapter at the measured bytes per number. Rounds to 95 %: the first scored round at 95 % of the final Dice.
HD95 leaves out images where truth or prediction is empty; their number per seed stands in brackets. Every method takes the same number
of optimiser steps per site and round (centralised: all of them on one model); methods without experts spend those of phase L in phase
G.</p></section>`
}
