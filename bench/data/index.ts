/** Memory and time of large images and many small ones, on simulated files: `npm run bench:data -- --help`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CASES, measure, type Row } from './measure.ts'

const HELP = `npm run bench:data -- [--only WORDS] [--against DIR] [--folder DIR]
  --only     the cases with these words in their names
  --against  a checkout of another commit that was built: its data check beside this one
  --folder   where simulated images are made and removed again, up to 1 GB (default: the folder for temporary files)
`

const COLUMNS = ['data', 'what is done', 'peak memory, MiB', 'processor, s', 'times the reference']

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    against: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false }
  }
})

if (values.help) process.stdout.write(HELP)
else await main()

async function main (): Promise<void> {
  process.stdout.write(line(COLUMNS) + line(COLUMNS.map(() => '---')))
  for (const each of CASES.filter(({ name }) => name.includes(values.only))) {
    const folder = await mkdtemp(join(values.folder, 'consilium-bench-'))
    try {
      for (const row of await measure(each, folder, values.against)) process.stdout.write(line(cells(row)))
    } finally {
      await rm(folder, { recursive: true })
    }
  }
}

function cells ({ name, task, peak, cpu, times }: Row): string[] {
  if (Number.isNaN(peak)) return [name, task, 'ended without memory', '–', '–']
  return [name, task, String(peak), cpu.toFixed(1), times?.toFixed(1) ?? '–']
}

function line (words: readonly string[]): string {
  return `| ${words.join(' | ')} |\n`
}
