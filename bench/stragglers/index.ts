import { sayHelp } from '../../scripts/say-help.ts'
import { mean } from '../../src/common/mean.ts'
import { CASES, leastArrived, measure, type Row } from './measure.ts'

/** The table of docs/gossip.md#slow-sites, as Markdown. */
const COLUMNS = ['sites', 'slow', 'times as slow', 'arrived, worst run', 'trained', 'caught up', 'seconds', 'of undisturbed']

function cells (row: Row, slow: number, undisturbed: number): string[] {
  const { slowness, runs, seconds } = row
  const trained = mean(runs.map(({ slowSteps }) => slowSteps.trained / slow))
  return [
    slowness === 1 ? 'undisturbed' : String(slowness),
    `${(100 * leastArrived(row)).toFixed(1)} %`,
    trained.toFixed(0),
    mean(runs.map(({ caughtUp }) => caughtUp)).toFixed(1),
    seconds.toFixed(1),
    (seconds / undisturbed).toFixed(2)
  ]
}

sayHelp(`npm run bench:stragglers
The table of docs/gossip.md#slow-sites, as Markdown: simulated sites, one or two of them slow.
`)

process.stdout.write(`| ${COLUMNS.join(' | ')} |\n|${'---|'.repeat(COLUMNS.length)}\n`)
for (const each of Object.values(CASES)) {
  const rows = await measure(each)
  for (const row of rows) {
    process.stdout.write(`| ${[each.sites, each.slow, ...cells(row, each.slow, rows[0]!.seconds)].join(' | ')} |\n`)
  }
}
