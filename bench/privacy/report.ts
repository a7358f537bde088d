import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from '../../src/common/write-whole.ts'
import { html, type Markup } from '../../src/report/markup.ts'
import { checkList, renderHtml, table, tableRow } from '../../src/report/page.ts'
import { dataName } from '../pfedsam/presets.ts'
import type { Options } from './options.ts'
import { findings, HEAD, linesOf, type Attacked } from './rows.ts'

const DIGITS = 6

/** The tables of docs/privacy.md#attacks-beside-the-defences, as Markdown. */
export function markdown (all: readonly Attacked[]): string {
  return all.map((attacked) => {
    const lines = linesOf(attacked).map((cells) => `| ${cells.join(' | ')} |\n`)
    return `${attacked.data}\n\n| ${HEAD.join(' | ')} |\n|${'---|'.repeat(HEAD.length)}\n${lines.join('')}`
  }).join('\n')
}

/** report.html and report.json; their paths. No image is in either. */
export async function writeReport ({ name, preset, data, out }: Options, all: readonly Attacked[]): Promise<string[]> {
  const settings = { ...preset, data: data.map(dataName) }
  const list = all.flatMap(findings)
  const json = JSON.stringify({ preset: name, settings, findings: list, attacked: all }, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toFixed(DIGITS)) : value, 1)
  const judged = list.map(({ ok, ...rest }) => ({ ...rest, mark: ok ? 'holds' as const : 'missed' as const }))
  const body = html`<h1>What does a member learn?</h1>
<p class="lead">One member of a federation attacks another with what it receives: was this patient among those trained on, and what did the
image look like? An advantage of 0 is a coin, 1 is certainty.</p>
<p class="note">Preset ${name}: ${preset.seeds.length} trainings of ${preset.rounds} rounds on about half of ${preset.pool} patients</p>
<section class="card"><h2>What was asked</h2>${checkList(judged)}</section>
${all.map(section)}`
  const files = [['report.html', renderHtml({ title: 'Attacks beside defences', body })], ['report.json', `${json}\n`]] as const
  await mkdir(out, { recursive: true })
  for (const [file, text] of files) await writeWhole(join(out, file), text)
  return files.map(([file]) => join(out, file))
}

function section (attacked: Attacked): Markup {
  const rows = linesOf(attacked).map((cells) => tableRow(cells))
  return html`<section class="card"><h2>${attacked.data}</h2>${table(HEAD, rows)}</section>`
}
