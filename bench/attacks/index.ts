import { parseArgs } from 'node:util'
import { mean } from '../../src/common/mean.ts'
import { factLies, liesAlong } from './lies.ts'
import { measure, ROUNDS, type Case, type Outcome } from './measure.ts'
import { METHODS } from './methods.ts'

/** What liars do to the honest sites, as Markdown: the tables of docs/SECURITY.md#small-steady-lies. */
const HELP = `npm run bench:attacks -- [--full]
Virtual sites with unlike optima and unequal masses train ${ROUNDS} rounds by the daemon's own code, beside liars of every kind.

  --full   ten seeds instead of two, and 1,000 site-runs without liars instead of 70 (an hour)
  --help   this text
`
const QUICK = { seeds: 2, clean: [[5, 2], [10, 2], [20, 2]] } as const
const FULL = { seeds: 10, clean: [[5, 80], [10, 30], [20, 15]] } as const
const SIZES = [[5, 1], [10, 1], [20, 4]] as const
const NOWHERE = new Float32Array(0)
const KINDS = [undefined, ...Object.keys(liesAlong(NOWHERE, NOWHERE))]
/** Beside lies about what the method goes by. */
const VECTOR_KINDS = [undefined, 'drift at the radius', 'drift, eager']
const TEN = { sites: 10, liars: 1 } as const

async function overSeeds (each: Omit<Case, 'seed'>, seeds: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let seed = 1; seed <= seeds; seed++) outcomes.push(await measure({ ...each, seed }))
  return outcomes
}

function row ({ sites, liars, kind }: Omit<Case, 'seed'>, outcomes: readonly Outcome[]): string {
  const of = (name: keyof Outcome): number[] => outcomes.map((outcome) => outcome[name])
  return `| ${
    [
      sites,
      liars,
      kind ?? 'none: trains as the others do',
      mean(of('moved')).toFixed(2),
      Math.max(...of('moved')).toFixed(2),
      mean(of('farthest')).toFixed(2),
      mean(of('served')).toFixed(2),
      mean(of('liarsNamed')).toFixed(1),
      mean(of('honestNamed')).toFixed(1)
    ].join(' | ')
  } |\n`
}

const { values: { full, help } } = parseArgs({ options: { full: { type: 'boolean' }, help: { type: 'boolean' } } })
const { seeds, clean } = full === true ? FULL : QUICK
if (help === true) process.stdout.write(HELP)
else {
  process.stdout.write('| sites | liars | lie | mean moved | worst seed | farthest site | farthest served | liars named | honest named |\n')
  process.stdout.write(`|${'---|'.repeat(9)}\n`)
  for (const [sites, liars] of SIZES) {
    for (const kind of KINDS) process.stdout.write(row({ sites, liars, kind }, await overSeeds({ sites, liars, kind }, seeds)))
  }
  for (const by of METHODS) {
    process.stdout.write(`\nWith method.${by}:\n`)
    for (const kind of [...VECTOR_KINDS, ...Object.keys(factLies(by, { ...TEN, seed: 1, direction: NOWHERE }))]) {
      process.stdout.write(row({ ...TEN, kind, by }, await overSeeds({ ...TEN, kind, by }, seeds)))
    }
  }
  process.stdout.write('\nWithout liars:\n')
  for (const [sites, runs] of clean) {
    const named = (await overSeeds({ sites, liars: 0 }, runs)).reduce((sum, { honestNamed }) => sum + honestNamed, 0)
    process.stdout.write(`${sites * runs} site-runs of ${sites} sites: ${named} named\n`)
  }
}
