import { extname } from 'node:path'
import type { CommandModule } from 'yargs'
import { UsageError } from '../../errors.ts'
import { CODECS } from '../../gossip-aggregation/codec.ts'
import { PARTNER_RULES } from '../../gossip-aggregation/partner-choice.ts'
import { writeFileSafely } from '../../home/files.ts'
import { DEFAULTS, type SimulationOptions } from '../../simulation/options.ts'
import type { SimulationResult } from '../../simulation/simulate.ts'
import { withFlags } from '../flags.ts'
import { jsonFlag, print } from '../output.ts'

const number = (meaning: string, value: number) => ({ type: 'number', describe: meaning, default: value }) as const

const flags = {
  ...jsonFlag,
  peers: number('virtual sites', DEFAULTS.peers),
  dim: number('numbers in each vector', DEFAULTS.dim),
  exchanges: number('cycles: in each, every site that is there initiates one exchange', DEFAULTS.cycles),
  partner: { choices: PARTNER_RULES, describe: 'how sites choose whom to ask', default: DEFAULTS.partner },
  codec: { choices: [...CODECS, 'auto'] as const, describe: 'how vectors travel', default: DEFAULTS.codec },
  loss: number('share of messages that never arrive', DEFAULTS.loss),
  churn: number('share of sites that are away in each cycle and then return with their state', DEFAULTS.churn),
  stragglers: number('share of sites that are four times as slow', DEFAULTS.stragglers),
  liars: number('share of sites that send noise of 100 times the spread', DEFAULTS.liars),
  delay: number('milliseconds that a message takes on average; a cycle takes 10 000', DEFAULTS.delay),
  offset: number('size of a vector that all have in common, in multiples of the spread', DEFAULTS.offset),
  'max-mass': number('masses are drawn from 1 to this, evenly on a log scale', DEFAULTS.maxMass),
  radius: number('clip radius at the start, in multiples of the spread', DEFAULTS.radius),
  seed: number('same seed, same history', DEFAULTS.seed),
  out: { type: 'string', requiresArg: true, describe: 'file for the plot, FILE.svg or FILE.html' }
} as const

type Args = Omit<SimulationOptions, 'cycles' | 'maxMass'> & {
  readonly json: boolean,
  readonly exchanges: number,
  readonly 'max-mass': number,
  readonly out: string | undefined
}

/** Least and largest of each number; whole numbers where the step is 1. */
const RANGES = {
  peers: [2, 100_000, 1],
  dim: [1, 10_000_000, 1],
  exchanges: [1, 10_000, 1],
  loss: [0, 0.9],
  churn: [0, 0.9],
  stragglers: [0, 1],
  liars: [0, 0.5],
  delay: [0, 2_000],
  offset: [0, 1e6],
  'max-mass': [1, 1e6],
  radius: [0.01, 1e9],
  seed: [0, 2 ** 31 - 1, 1]
} as const satisfies Partial<Record<keyof Args, readonly number[]>>
/** Floats that all vectors together may have: half a gigabyte. */
const MOST_FLOATS = 2 ** 27
/** Of Σw·‖x‖: what float32 rounding may move Σw·x by. */
const ROUNDING = 1e-6

export const simulateCommand: CommandModule<object, Args> = {
  command: 'simulate',
  describe: 'averaging among virtual sites, by the code that real ones run',
  builder: (argv) => withFlags(argv, flags),
  handler: async (args) => {
    const options = checked(args)
    const { simulate } = await import('../../simulation/simulate.ts')
    const result = await simulate(options)
    const conserved = { mass: result.changed.mass === 0, weightedSum: result.changed.weightedSum <= ROUNDING }
    const text = describe(options, result)
    if (args.out != null) await plot(args.out, options, result, text)
    print(args.json, report(options, result, conserved), text)
    if (!conserved.mass || !conserved.weightedSum) process.exitCode = 1
  }
}

function checked (args: Args): SimulationOptions {
  for (const [name, [least, most, step]] of Object.entries(RANGES) as [keyof typeof RANGES, readonly [number, number, number?]][]) {
    const value = args[name]
    if (!(value >= least && value <= most) || (step === 1 && !Number.isInteger(value))) {
      throw new UsageError(`--${name} must be a ${step === 1 ? 'whole ' : ''}number from ${least} to ${most}, not ${value}`)
    }
  }
  if (args.peers * args.dim > MOST_FLOATS) {
    throw new UsageError(
      `${args.peers} sites of ${args.dim} numbers are more than ${MOST_FLOATS} numbers: take fewer --peers or a smaller --dim`
    )
  }
  if (args.out != null && !['.svg', '.html'].includes(extname(args.out))) {
    throw new UsageError(`--out must end in .svg or .html, not ${args.out}`)
  }
  const { peers, dim, exchanges, partner, codec, loss, churn, stragglers, liars, delay, offset, 'max-mass': maxMass, radius, seed } = args
  return { peers, dim, cycles: exchanges, partner, codec, loss, churn, stragglers, liars, delay, offset, maxMass, radius, seed }
}

/** What --json prints; variances are those of the honest sites, bytes count from the start. */
function report (
  { peers, dim, partner, codec, seed }: SimulationOptions,
  result: SimulationResult,
  conserved: { mass: boolean, weightedSum: boolean }
): object {
  const { contractionRate, theoryRate, liarsNamed } = result
  const cycles = result.cycles.map(({ cycle, variance, bytesPerSite }) => ({ cycle, variance, bytesPerSite }))
  return { peers, dim, partner, codec, seed, cycles, contractionRate, theoryRate, liarsNamed, conserved }
}

function describe (
  { peers, dim, partner, codec, seed }: SimulationOptions,
  { cycles, contractionRate, theoryRate, liars, liarsNamed, honestNamed, meanMoved, changed }: SimulationResult
): string {
  const first = cycles[0]!.variance
  const rows = cycles.map((
    { cycle, variance, spread, bytesPerSite }
  ) => [
    String(cycle),
    variance.toExponential(3),
    Math.sqrt(variance / first).toExponential(2),
    spread.toExponential(2),
    Math.round(bytesPerSite).toLocaleString('en')
  ])
  const rate = (value: number | null): string => value?.toFixed(4) ?? 'unknown'
  return [
    `${peers} sites, ${dim} numbers each, partner ${partner}, codec ${codec}, seed ${seed}`,
    ['cycle', 'variance', 'RMS', 'farthest', 'bytes sent per site'].map(pad).join(''),
    ...rows.map((row) => row.map(pad).join('')),
    'RMS and farthest: distances from the mean, relative to the start; bytes: vectors since the start',
    `contraction of the variance per cycle: ${rate(contractionRate)}; theory, when nothing disturbs: ${rate(theoryRate)}`,
    ...(liars > 0
      ? [
        `liars named: ${liarsNamed} of ${liars}; honest sites named: ${honestNamed}; the honest mean moved by ${
          (100 * meanMoved).toFixed(2)
        } % of the spread at the start`
        ]
      : []),
    `Σw changed by ${changed.mass}, Σw·x by ${changed.weightedSum.toExponential(1)} of Σw·‖x‖ (float32 rounding is about 1e-7)`
  ].join('\n')
}

function pad (text: string, index: number): string {
  return index === 0 ? text.padEnd(7) : text.padEnd(12)
}

async function plot (path: string, options: SimulationOptions, result: SimulationResult, text: string): Promise<void> {
  const { plotPage, plotSvg } = await import('../../report/simulation-plot.ts')
  const svg = plotSvg(options, result)
  await writeFileSafely(path, path.endsWith('.svg') ? svg : plotPage(svg, text))
}
