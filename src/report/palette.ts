/**
 * Charts are drawn once and must be readable on light and dark pages: they are drawn in these stand-in colours, which occur
 * nowhere else, and every stand-in is replaced by a CSS variable of the page.
 */
const STAND_INS = {
  '#000a01': 'var(--ink)',
  '#000a02': 'var(--faint)',
  '#000a03': 'var(--line)',
  '#000a04': 'var(--accent)',
  '#000a05': 'var(--bad)',
  '#000a06': 'var(--frozen)',
  '#000a07': 'var(--alone)'
} as const

export const INK = '#000a01'
export const FAINT = '#000a02'
export const LINE = '#000a03'
export const ACCENT = '#000a04'
export const BAD = '#000a05'
export const FROZEN = '#000a06'
export const ALONE = '#000a07'

/** Okabe–Ito colours, told apart by colour-blind readers; the page lightens none of them. */
const SITES = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8f6bd1', '#7a7a7a'] as const

export function siteColour (index: number): string {
  return SITES[index % SITES.length]!
}

export function themed (svg: string): string {
  return Object.entries(STAND_INS).reduce((text, [colour, variable]) => text.replaceAll(colour, variable), svg)
}
