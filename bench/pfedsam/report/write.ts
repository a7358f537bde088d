import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from '../../../src/common/write-whole.ts'
import { openBase, type RunRecord } from '../../../src/experiment/run-job.ts'
import { findings } from '../criteria.ts'
import { conditionName } from '../labels.ts'
import { dataName, type Preset } from '../presets.ts'
import { summarise } from '../summary.ts'
import { imagesCsv, runsCsv, sitesCsv } from './csv.ts'
import { renderPage } from './page.ts'
import { drawStrips } from './pictures.ts'

const DIGITS = 6

/** report.html, report.json, runs.csv, sites.csv and images.csv; their paths. */
export async function writeReport (folder: string, name: string, preset: Preset, records: readonly RunRecord[]): Promise<string[]> {
  const summaries = summarise(records)
  const { hash } = await openBase()
  const settings = { ...preset, data: preset.data.map(dataName) }
  const strips = new Map(await Promise.all(summaries.map(async (summary) => {
    const condition = conditionName(summary)
    return [condition, await drawStrips(condition, records)] as const
  })))
  const files: [string, string][] = [
    ['report.html', renderPage({ name, preset, summaries, strips, base: hash })],
    [
      'report.json',
      `${JSON.stringify({ preset: name, settings, base: hash, findings: summaries.flatMap(findings), summaries }, rounded, 1)}\n`
    ],
    ['runs.csv', runsCsv(records)],
    ['sites.csv', sitesCsv(records)],
    ['images.csv', imagesCsv(records)]
  ]
  await mkdir(folder, { recursive: true })
  for (const [file, text] of files) await writeWhole(join(folder, file), text)
  return files.map(([file]) => join(folder, file))
}

function rounded (_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toFixed(DIGITS)) : value
}
