/**
 * npm run bench:flood [-- --seconds N --each --json]: issue 6 (5). Exit code 0 when a flooding member is cut off, named, and hurts
 * nobody.
 */
import { parseArgs } from 'node:util'
import { sayHelp } from '../../scripts/say-help.ts'
import { runFlood, type Flood, type Window } from './run.ts'

const MAX_SLOWER = 1.2
const MAX_MORE_MIB = 50

function judge (quiet: Window, flood: Flood): { name: string, ok: boolean }[] {
  const slower = flood.roundSeconds / quiet.roundSeconds
  return [
    {
      name: `round time rises by less than 20 %: ${quiet.roundSeconds.toFixed(2)} → ${flood.roundSeconds.toFixed(2)} s (${
        ((slower - 1) * 100).toFixed(1)
      } %)`,
      ok: slower < MAX_SLOWER
    },
    {
      name: `memory rises by less than 50 MiB: ${quiet.peakMiB.toFixed(0)} → ${flood.peakMiB.toFixed(0)} MiB at most`,
      ok: flood.peakMiB - quiet.peakMiB < MAX_MORE_MIB
    },
    {
      name: `honest exchanges go on: ${quiet.exchanges} in quiet, ${flood.exchanges} under flood`,
      ok: flood.exchanges >= quiet.exchanges / 2
    },
    { name: `the flooder is cut off: first after ${flood.hostile.firstCutMs ?? 'no'} ms`, ok: flood.hostile.firstCutMs != null },
    { name: `and named, in status and log: ${flood.warnings[0] ?? 'no'}`, ok: flood.warnings.length > 0 },
    { name: `and in the ledger: ${flood.ledger[0] ?? 'no'} (${flood.ledger.length} entries)`, ok: flood.ledger.length > 0 }
  ]
}

sayHelp(`npm run bench:flood -- [--seconds 60] [--each] [--json]
A member that floods: what it costs the others, and when it is cut off; --each: one attack after the other.
`)

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    each: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false }
  }
})
const { quiet, floods } = await runFlood({
  seconds: Number(values.seconds),
  each: values.each,
  say: (line) => {
    process.stderr.write(`${line}\n`)
  }
})
const judged = floods.map((flood) => ({ ...flood, checks: judge(quiet, flood) }))
if (values.json) process.stdout.write(JSON.stringify({ quiet, floods: judged }) + '\n')
else {
  for (const { attack, checks, hostile, daemonLoad, rounds } of judged) {
    process.stdout.write(
      `\n${attack}: daemon load ${(100 * quiet.daemonLoad).toFixed(1)} → ${(100 * daemonLoad).toFixed(1)} % of a core, ${rounds} rounds\n`
    )
    for (const { name, ok } of checks) process.stdout.write(`  ${ok ? 'ok  ' : 'FAIL'}  ${name}\n`)
    process.stdout.write(`  it did: ${Object.entries(hostile.counts).map(([name, count]) => `${name} ${count}`).join(', ')}\n`)
  }
}
process.exitCode = judged.every(({ checks }) => checks.every(({ ok }) => ok)) ? 0 : 1
