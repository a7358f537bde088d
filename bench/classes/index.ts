/**
 * `npm run bench:classes`: how well each class of the sample does in a federation of both, and in one of its own, by real daemons on the
 * same held-out slices (docs/evidence.md#two-classes). Three testnets a seed, two minutes each on two cores.
 */
import { parseArgs } from 'node:util'
import { sayHelp } from '../../scripts/say-help.ts'
import { SAMPLE_CLASSES } from '../../scripts/testnet/classes.ts'
import type { Report } from '../../scripts/testnet/report/report.ts'
import { compare, MARGIN, tableRow } from './compare.ts'
import { classDice, reportOf } from './run.ts'

const MODES = ['global', 'personal'] as const

sayHelp(`npm run bench:classes -- [--seeds 3,4,5,6] [--rounds 24] [--out out/classes]
Each class of the sample in a federation of both, and in one of its own, by real daemons: three testnets a seed, two minutes each.
`)

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3,4,5,6' },
    rounds: { type: 'string', default: '24' },
    out: { type: 'string', default: 'out/classes' }
  }
})
const [seeds, rounds, out] = [values.seeds.split(',').map(Number), Number(values.rounds), values.out]

async function runOf (classes: typeof SAMPLE_CLASSES[number][], seed: number): Promise<Report> {
  process.stderr.write(`${classes.join(' and ')}, seed ${seed}\n`)
  return await reportOf({ classes, seed, rounds, out })
}

const runs: { seed: number, alone: Record<string, Report>, beside: Report }[] = []
for (const seed of seeds) {
  const beside = await runOf([...SAMPLE_CLASSES], seed)
  const alone: Record<string, Report> = {}
  for (const name of SAMPLE_CLASSES) alone[name] = await runOf([name], seed)
  runs.push({ seed, alone, beside })
}

process.stdout.write(`| class, model | alone | beside the other | difference | by seed | within ${MARGIN} |\n|---|---|---|---|---|---|\n`)
for (const name of SAMPLE_CLASSES) {
  for (const mode of MODES) {
    const found = compare(runs.map(({ seed, alone, beside }) =>
      ({ seed, alone: classDice(alone[name]!, name, mode), beside: classDice(beside, name, mode) })))
    process.stdout.write(`${tableRow(`${name}, ${mode}`, found)}\n`)
    if (!found.holds) process.exitCode = 1
  }
}
