import { html, Markup } from './markup.ts'
import { STYLE } from './style.ts'

export interface Page {
  readonly title: string
  readonly body: Markup
  /** CSS; that of all reports when missing. */
  readonly style?: string
}

/** One HTML file that needs neither network nor scripts. */
export function renderHtml ({ title, body, style = STYLE }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body><main>
${body}
</main></body>
</html>
`.text
}

/** Nothing, where a part of a page has nothing to say. */
export const NOTHING = new Markup('')

/** What each colour stands for. */
export function legend (entries: readonly (readonly [name: string, colour: string])[]): Markup {
  return html`<div class="legend">${entries.map(([name, colour]) => html`<span>${swatch(colour)}${name}</span>`)}</div>`
}

/** A square of a colour, by an attribute: no style within the page. */
export function swatch (colour: string): Markup {
  return html`<svg class="swatch" viewBox="0 0 12 12" aria-hidden="true"><rect width="12" height="12" rx="3" fill="${colour}"/></svg>`
}

/** Figures at a glance, each with its name. */
export function tiles (all: readonly (readonly [value: string, name: string])[]): Markup {
  return html`<div class="tiles">${all.map(([value, name]) => html`<div class="tile"><b>${value}</b><span>${name}</span></div>`)}</div>`
}

export function card (title: string, body: Markup): Markup {
  return html`<section class="card"><h2>${title}</h2>
${body}</section>`
}

/** A chart for who sees it, `name` for who does not; where the page is narrow it scrolls, by the keyboard too. */
export function chart (name: string, svg: string): Markup {
  return html`<div class="chart" role="img" tabindex="0" aria-label="${name}">${new Markup(svg)}</div>`
}

/** A table that scrolls where the page is narrow; rows come from `tableRow`. */
export function table (head: readonly string[], rows: readonly Markup[]): Markup {
  return html`<div class="scroll"><table><thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`
}

/** `kind` is a class of the page's style. */
export function tableRow (cells: readonly string[], kind = ''): Markup {
  const inside = cells.map((text) => html`<td>${text}</td>`)
  return kind === '' ? html`<tr>${inside}</tr>` : html`<tr class="${kind}">${inside}</tr>`
}

/** A table that becomes a list where the page is narrow: each cell says its column there. */
export function stackTable (head: readonly string[], rows: readonly (readonly (string | Markup)[])[]): Markup {
  return html`<table class="stack"><thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${
    cells.map((cell, i) => html`<td data-label="${head[i] ?? ''}">${cell}</td>`)
  }</tr>`)}</tbody></table>`
}

const MARKS = { holds: 'good', missed: 'missed', fails: 'bad' } as const

export interface Judged {
  readonly name: string
  readonly detail: string
  readonly mark: keyof typeof MARKS
}

/** What was asked, and how it turned out. */
export function checkList (list: readonly Judged[]): Markup {
  return html`<ul class="checks">${
    list.map(({ name, detail, mark }) =>
      html`<li><span class="mark ${MARKS[mark]}">${mark}</span><span>${name}</span><span class="detail">${detail}</span></li>`
    )
  }</ul>`
}

export interface Strip {
  /** Of its own on the page. */
  readonly id: string
  /** Said to who cannot see it. */
  readonly name: string
  /** Data URL and pixels of the image under every panel. */
  readonly image: string
  readonly width: number
  readonly height: number
  /** `overlay` is a data URL, '' for the image alone. */
  readonly panels: readonly { readonly label: string, readonly overlay: string }[]
}

/** One image several times side by side, each under another overlay; it is in the page once, and without a style. */
export function strip ({ id, name, image, width, height, panels }: Strip): Markup {
  const size = html`width="${width}" height="${height}"`
  return html`<div class="strip">${
    panels.map(({ label, overlay }, index) => html`<figure><svg class="shot" viewBox="0 0 ${width} ${height}" role="img"
aria-label="${name}: ${label}">${
      index === 0 ? html`<image id="${id}" ${size} href="${image}"/>` : html`<use href="#${id}"/>`
    }${overlay === '' ? NOTHING : html`<image ${size} href="${overlay}"/>`}</svg><figcaption>${label}</figcaption></figure>`)
  }</div>`
}
