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
  return html`<div class="legend">${entries.map(([name, colour]) => html`<span><i style="background: ${colour}"></i>${name}</span>`)}</div>`
}

/** A table that scrolls where the page is narrow; rows come from `tableRow`. */
export function table (head: readonly string[], rows: readonly Markup[]): Markup {
  return html`<div class="scroll"><table><thead><tr>${head.map((name) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`
}

/** `kind` is a class of the page's style. */
export function tableRow (cells: readonly string[], kind = ''): Markup {
  const inside = cells.map((text) => html`<td>${text}</td>`)
  return kind === '' ? html`<tr>${inside}</tr>` : html`<tr class="${kind}">${inside}</tr>`
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
  /** Class of its own on the page. */
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

/** One image several times side by side, each under another overlay. */
export function strip ({ id, name, image, width, height, panels }: Strip): Markup {
  return html`<style>.${id} { background-image: url(${image}); aspect-ratio: ${width} / ${height} }</style>
<div class="strip">${
    panels.map(({ label, overlay }) =>
      html`<figure><div class="shot ${id}" role="img" aria-label="${name}: ${label}">${
        overlay === '' ? NOTHING : html`<img alt="" src="${overlay}">`
      }</div><figcaption>${label}</figcaption></figure>`
    )
  }</div>`
}
