const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Markup that is safe to embed as it is. */
export class Markup {
  constructor (readonly text: string) {}
}

type Value = string | number | Markup | readonly Markup[]

/** A template whose values are escaped, except markup. */
export function html (parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(parts.reduce((text, part, index) => text + render(values[index - 1] ?? '') + part))
}

function render (value: Value): string {
  if (value instanceof Markup) return value.text
  if (typeof value === 'string' || typeof value === 'number') return String(value).replace(/[&<>"']/g, (letter) => ENTITIES[letter]!)
  return value.map(({ text }) => text).join('\n')
}
