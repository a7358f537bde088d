import { sayHelp } from '../../scripts/say-help.ts'
import { mean } from '../../src/common/mean.ts'
import { PARTNER_RULES, type PartnerRule } from '../../src/gossip-aggregation/partner-choice.ts'
import { DEFAULTS, type SimulationOptions } from '../../src/simulation/options.ts'
import { simulate } from '../../src/simulation/simulate.ts'
import { measureRounds, type RoundsOptions, type RoundsResult } from './rounds.ts'

/**
 * Two tables as Markdown, over five seeds. That of ADR 8: cycles to an RMS spread of 1e-3, and exchanges per site until then. And that of
 * docs/gossip.md: sites that train.
 */
const SEEDS = [1, 2, 3, 4, 5]
const MOST_CYCLES = 80
const DIM = 64
const SETTINGS: readonly [string, Partial<SimulationOptions>][] = [
  ['nothing disturbs', {}],
  ['20 % away, 10 % lost', { churn: 0.2, loss: 0.1 }],
  ['masses 1 to 100', { maxMass: 100 }],
  ['offset 10 × spread', { offset: 10 }],
  ['delay 300 ms, 20 % slow', { delay: 300, stragglers: 0.2 }],
  ['10 % liars', { liars: 0.1 }],
  ['away, lost, slow, masses 1 to 10', { churn: 0.2, loss: 0.1, delay: 100, stragglers: 0.2, maxMass: 10 }]
]

interface Cell {
  readonly cycles: number
  readonly exchanges: number
  readonly honestNamed: number
}

async function measure (options: SimulationOptions): Promise<Cell> {
  const { cycles, honestNamed } = await simulate(options)
  const first = cycles[0]!.variance
  const reached = cycles.find(({ variance }) => variance <= 1e-6 * first)
  return { cycles: reached?.cycle ?? Infinity, exchanges: (reached?.bytesPerSite ?? Infinity) / (4 * options.dim), honestNamed }
}

async function cell (settings: Partial<SimulationOptions>, partner: PartnerRule, peers: number): Promise<string> {
  const cells: Cell[] = []
  for (const seed of SEEDS) {
    cells.push(await measure({ ...DEFAULTS, rounds: 0, codec: 'f32', dim: DIM, cycles: MOST_CYCLES, peers, partner, ...settings, seed }))
  }
  const counts = cells.map(({ cycles }) => cycles)
  const named = cells.reduce((sum, { honestNamed }) => sum + honestNamed, 0)
  const range = (value: number): string => value === Infinity ? `> ${MOST_CYCLES}` : String(value)
  const [least, most] = [range(Math.min(...counts)), range(Math.max(...counts))]
  const exchanges = mean(cells.map((each) => each.exchanges))
  return `${least === most ? least : `${least}–${most}`} (${Number.isFinite(exchanges) ? exchanges.toFixed(0) : '–'})${
    named > 0 ? `, ${named} honest named` : ''
  }`
}

sayHelp(`npm run bench:partners
Two tables as Markdown, over five seeds: rules for choosing partners, without training (ADR 8) and with it (docs/gossip.md).
`)

process.stdout.write(`| sites | disturbance | ${PARTNER_RULES.join(' | ')} |\n|---|---|${PARTNER_RULES.map(() => '---|').join('')}\n`)
for (const peers of [100, 64, 10, 4]) {
  for (const [name, settings] of SETTINGS) {
    if (settings.liars != null && Math.round(settings.liars * peers) === 0) continue
    const cells: string[] = []
    for (const partner of PARTNER_RULES) cells.push(await cell(settings, partner, peers))
    process.stdout.write(`| ${peers} | ${name} | ${cells.join(' | ')} |\n`)
  }
}

/** FedSAM sends so many times the bytes of one f32 vector of pFedSAM's (sam-tiny, docs/evidence.md). */
const FEDSAM = 7_297 / 165
const TRAINING: readonly RoundsOptions[] = [
  { sites: 2, rounds: 24, slow: 1 },
  { sites: 4, rounds: 24, slow: 1 },
  { sites: 4, rounds: 24, slow: 3 },
  { sites: 8, rounds: 12, slow: 1 },
  { sites: 16, rounds: 12, slow: 1 }
].map((each) => ({ ...each, seed: 0 }))

async function trainingRow (options: RoundsOptions): Promise<string> {
  const runs: RoundsResult[] = []
  for (const seed of SEEDS) runs.push(await measureRounds({ ...options, seed }))
  const fewer = (bytes: number): string => (4 * FEDSAM / bytes).toFixed(0)
  const average = (of: (run: RoundsResult) => number): number => mean(runs.map(of))
  return `| ${[
    options.sites,
    options.rounds,
    options.slow,
    fewer(average(({ bytes }) => bytes)),
    fewer(Math.max(...runs.map(({ busiest }) => busiest))),
    fewer(average(({ first }) => first)),
    average(({ exchangesPerRound }) => exchangesPerRound).toFixed(1),
    average(({ spread }) => spread).toFixed(3),
    average(({ last }) => last).toFixed(3),
    average(({ end }) => end).toExponential(0)
  ].join(' | ')} |\n`
}

process.stdout.write(`
| sites | rounds | first slower by | times fewer bytes than FedSAM | busiest of all | first to finish | exchanges | spread | last | end |
|${'---|'.repeat(10)}
`)
for (const options of TRAINING) process.stdout.write(await trainingRow(options))
