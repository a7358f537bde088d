import { bytesChart, byteUnit, consensusChart, describeDistance, diceChart, type ChartedConsensus, type ChartedRound } from './charts.ts'
import { html, type Markup } from './markup.ts'
import { card, chart, legend, NOTHING, stackTable, tiles } from './page.ts'
import { siteColour } from './palette.ts'
import { outlineLegend, SCORE_WORDS, shotStrip, type ScoredShot } from './shots.ts'

/** A fact about a site: whether it holds, in words. */
export interface Fact {
  readonly text: string
  readonly mark: 'good' | 'missed' | 'bad' | 'plain'
}

/** Registered, connected, trained and exchanged are four different facts. */
export interface SiteRow {
  readonly name: string
  readonly registered: Fact
  readonly connected: Fact
  readonly trained: Fact
  readonly exchanged: Fact
}

export interface WarningFacts {
  /** What it is. */
  readonly title: string
  /** What is wrong, as the log has it. */
  readonly sentence: string
  readonly todo: string
  readonly since: string
}

/** What the page of one site shows; figures are in words already where they are no chart's. */
export interface SiteFacts {
  readonly now: {
    readonly name: string
    readonly federation: string
    readonly headline: string
    readonly lines: readonly string[]
    /** Said above all where the daemon does not answer. */
    readonly stale?: string
  }
  readonly warnings: readonly WarningFacts[]
  readonly figures: readonly (readonly [value: string, name: string])[]
  readonly sites: { readonly round: number, readonly rows: readonly SiteRow[] }
  readonly curves: {
    readonly frozen: number | null
    readonly history: readonly ChartedRound[]
    readonly consensus: ChartedConsensus
    /** Why there are no intervals; '' where there are. */
    readonly without: string
  }
  readonly traffic: { readonly bytes: readonly { readonly name: string, readonly bytesSent: number, readonly bytesReceived: number }[] }
  readonly ledger: readonly (readonly [when: string, what: string])[]
}

export type SitePart = keyof SiteFacts

const PARTS: { readonly [P in SitePart]: (facts: SiteFacts[P]) => Markup } = {
  now: nowPart,
  warnings: warningsPart,
  figures: figuresPart,
  sites: sitesPart,
  curves: curvesPart,
  traffic: trafficPart,
  ledger: ledgerPart
}

/** One part of the page; without style or script within it. */
export function sitePart<P extends SitePart> (part: P, facts: SiteFacts[P]): string {
  return PARTS[part](facts).text
}

function nowPart ({ name, federation, headline, lines, stale }: SiteFacts['now']): Markup {
  return html`${stale == null ? NOTHING : html`<p class="banner">${stale}</p>`}<h1>${name}</h1>
<p class="note">Federation “${federation}”</p>
<p class="lead">${headline}</p>
${lines.map((line) => html`<p>${line}</p>`)}`
}

function figuresPart (figures: SiteFacts['figures']): Markup {
  return figures.length === 0 ? NOTHING : tiles(figures)
}

function warningsPart (warnings: SiteFacts['warnings']): Markup {
  if (warnings.length === 0) return card('Warnings', html`<p>Nothing is wrong that this site knows of.</p>`)
  return card(`Warnings: ${warnings.length}`, html`${warnings.map(({ title, sentence, todo, since }) => html`<div class="notice">
<h3>${title}</h3><p>${sentence}</p><p><b>What to do:</b> ${todo}.</p><p class="note">since ${since}</p></div>`)}`)
}

function sitesPart ({ round, rows }: SiteFacts['sites']): Markup {
  const cells = rows.map(({ name, registered, connected, trained, exchanged }) =>
    [name, ...[registered, connected, trained, exchanged].map(marked)])
  return card('Hospitals', html`<p class="note">Four different facts: whether a hospital belongs to the federation, whether there is a
connection to it now, whether it has trained round ${round}, and whether this hospital has averaged with it since its own last round.</p>
${stackTable(['hospital', 'registered', 'connected', `trained round ${round}`, 'exchanged'], cells)}`)
}

function marked ({ text, mark }: Fact): Markup {
  return mark === 'plain' ? html`${text}` : html`<span class="${mark}">${text}</span>`
}

function curvesPart ({ frozen, history, consensus, without }: SiteFacts['curves']): Markup {
  const dice = { frozen, local: null, global: null, personal: null }
  const unknown = html`<p>Nothing is known of another hospital's model yet.</p>`
  const none = html`<p>${without === '' ? 'Nothing to draw before the first round has ended.' : without}</p>`
  return html`<div class="pair">${card('How well the models outline', html`<p class="note">Dice on this hospital's validation images after
each round; 1 is the radiologist's outline itself. Round 0 is the model before any training.</p>
${STROKES}${history.length === 0 ? NOTHING : html`<p class="hint">${without === '' ? BANDS : without}</p>`}
${history.length === 0 ? none : chart(diceInWords(history), diceChart({ hospitals: [{ dice, history }] }))}`)}
${card('How far the hospitals are apart', html`<p class="note">Estimated spread of the shared part of the models, relative to how far it
has moved from the start; less is closer.</p>
${consensus.length === 0 ? unknown : chart(apartInWords(consensus), consensusChart({ consensus }))}`)}</div>`
}

function apartInWords (consensus: ChartedConsensus): string {
  return `Chart: relative distance ${describeDistance(consensus.at(-1)!.distance)} after the last round drawn`
}

function diceInWords (history: SiteFacts['curves']['history']): string {
  const { round, global, personal } = history.at(-1)!
  return `Chart: Dice after round ${round}: this hospital's own model ${personal.toFixed(3)}, the shared one ${global.toFixed(3)}`
}

const BANDS = 'The bands: 95 % intervals over patients.'

const STROKES = html`${legend([['this hospital', siteColour(0)]])}<div class="legend"><span><i class="stroke"></i>personalised: this
hospital's own model</span><span><i class="stroke dash"></i>global: the part that all share</span></div>`

function trafficPart ({ bytes }: SiteFacts['traffic']): Markup {
  if (bytes.length === 0) return NOTHING
  const title = 'What left and what came'
  const isNone = bytes.every(({ bytesSent, bytesReceived }) => bytesSent + bytesReceived === 0)
  if (isNone) return card(title, html`<p>Nothing in the last rounds (${bytes.length}): there was no exchange.</p>`)
  return card(title, html`<p class="note">Adapters in each of the last rounds: numbers of the shared model, never images.</p>
${legend([['sent', 'var(--accent)'], ['received', '#56b4e9']])}
${chart(bytesInWords(bytes), bytesChart({ hospitals: bytes }))}`)
}

function bytesInWords (bytes: SiteFacts['traffic']['bytes']): string {
  const { unit, words } = byteUnit(bytes)
  return `Chart: ${bytes.map(({ name, bytesSent, bytesReceived }) =>
    `${name}, ${words(bytesSent)} ${unit} sent, ${words(bytesReceived)} ${unit} received`).join('; ')}`
}

function ledgerPart (lines: SiteFacts['ledger']): Markup {
  if (lines.length === 0) return NOTHING
  return card('Last lines of the audit ledger', html`<p class="note">What this site wrote down for good, newest first; “consilium audit
verify” checks the whole.</p><div class="ledger">${stackTable(['when (UTC)', 'what'], lines)}</div>`)
}

export interface SitePictures {
  /** After which round, in words. */
  readonly when: string
  readonly shots: readonly ScoredShot[]
}

/** Validation images with what the three models make of them; `problem` says why there are none. */
export function picturesPart (pictures: SitePictures | { readonly problem: string }): string {
  if ('problem' in pictures) return card('Validation images', html`<p>${pictures.problem}</p>`).text
  const { when, shots } = pictures
  return card('Validation images', html`<p class="note">${shots.length} images that training never saw, ${when}. They are chosen by the size
of what is outlined, from small to large, not by any result. Frozen is the model before any training, global the part that all share,
personalised this hospital's own model. These pictures are kept on this machine and go nowhere else.</p>
${outlineLegend()}${shots.map((shot, i) => shotStrip(shot, { id: `shot-${i + 1}`, name: `validation image ${i + 1}` }))}`).text
}

/** For whoever does not know them. */
export function wordsPart (): string {
  const words: readonly (readonly [string, string])[] = [
    ...SCORE_WORDS,
    ['times', 'are in UTC all over this page, not in local time.'],
    ['round', "one turn of training at a hospital, and of averaging with others; hospitals' rounds are not in step."],
    ['exchange', 'two hospitals move the shared part of their models towards each other; nobody is in between.'],
    ['steps arrived', 'steps of this hospital’s training that an exchange has carried, whole, to another hospital.']
  ]
  return card('What the words mean', html`<dl>${words.map(([word, meaning]) => html`<dt>${word}</dt><dd>${meaning}</dd>`)}</dl>`).text
}
