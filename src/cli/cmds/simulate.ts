import { extname } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../../errors.ts'
import { SKETCH_SIZE } from '../../gossip-aggregation/sketch.ts'
import { SHARED_FILE, writeFileSafely } from '../../home/files.ts'
import { protocolNames, THIS_SOFTWARE } from '../../protocol/versions.ts'
import { CYCLE_MS, roundsOf, simulation, type SimulationOptions } from '../../simulation/options.ts'
import type { SimulationResult } from '../../simulation/simulate.ts'
import type { TrainingResult, VirtualSteps } from '../../simulation/virtual-training.ts'
import { command, withFlags, type Args } from '../flags.ts'
import { jsonFlag, print } from '../output.ts'
import { flagsWithDefaults, requireWithin, settingsIn } from '../setting-flags.ts'

/** On the command line a cycle is told by what happens in it. */
const { peers: sites, dim: numbers, cycles: exchanges, ...others } = simulation.shape
const settings = z.strictObject({ peers: sites, dim: numbers, exchanges, ...others })

const flags = {
  ...jsonFlag,
  ...flagsWithDefaults(settings),
  out: { type: 'string', requiresArg: true, describe: 'file for the plot, FILE.svg or FILE.html' }
} as const

/** Floats that all vectors together may have: half a gigabyte. */
const MOST_FLOATS = 2 ** 27
/** Everybody hears every announcement of everybody. */
const MOST_TRAINING = 256
/** Of Σw·‖x‖: what float32 rounding may move Σw·x by. */
const ROUNDING = 1e-6

export const simulateCommand = command({
  command: 'simulate',
  describe: 'averaging among virtual sites, by the code that real ones run',
  builder: (argv) => withFlags(argv, flags),
  handler: async (args) => {
    const options = checked(args)
    const { simulate } = await import('../../simulation/simulate.ts')
    const result = await simulate(options)
    const conserved = { mass: result.changed.mass === 0, weightedSum: result.changed.weightedSum <= ROUNDING }
    const told = await toldIn(result)
    const text = describe(options, result, told)
    if (args.out != null) await plot(args.out, options, result, text)
    print(args.json, report(options, result, { conserved, told }), text)
    if (!conserved.mass || !conserved.weightedSum) process.exitCode = 1
  }
})

function checked (args: Args<typeof flags>): SimulationOptions {
  requireWithin(settings.shape, args, true)
  if (args.peers * args.dim > MOST_FLOATS) {
    throw new UsageError(
      `${args.peers} sites of ${args.dim} numbers are more than ${MOST_FLOATS} numbers: take fewer --peers or a smaller --dim`
    )
  }
  if (args.out != null && !['.svg', '.html'].includes(extname(args.out))) {
    throw new UsageError(`--out must end in .svg or .html, not ${args.out}`)
  }
  const { exchanges: cycles, ...given } = settingsIn(settings, args)
  const options = simulation.parse({ ...given, cycles })
  if (roundsOf(options) > 0 && options.peers > MOST_TRAINING) {
    throw new UsageError(`${options.peers} sites are more than the ${MOST_TRAINING} that can train: take fewer --peers, or --rounds 0`)
  }
  if (roundsOf(options) > 0 && options.clusters > 0) {
    throw new UsageError('--clusters is for exchanges alone: leave --rounds, --stragglers and --secure out')
  }
  return options
}

/** What sites told, and how large an announcement is that says it. */
type Told = NonNullable<SimulationResult['facts']> & { readonly bytes: number, readonly mostBytes: number }

async function toldIn ({ facts }: SimulationResult): Promise<Told | undefined> {
  if (facts == null) return undefined
  const { encodeAnnouncement, MAX_ANNOUNCEMENT_BYTES: mostBytes } = await import('../../protocol/announce/announcement.ts')
  const software = { software: THIS_SOFTWARE.version, protocols: protocolNames(THIS_SOFTWARE.protocols) }
  const said = { ...software, round: 1, phase: 'exchange', schemaHash: '0'.repeat(64), sketch: new Float32Array(SKETCH_SIZE) }
  const bytes = encodeAnnouncement({ ...said, facts: facts.announced }, BigInt(Date.now())).length
  return { ...facts, bytes, mostBytes }
}

/** What --json prints; variances are those of the honest sites, bytes count from the start; `training` where sites train. */
function report (
  { peers, dim, partner, codec, seed }: SimulationOptions,
  result: SimulationResult,
  { conserved, told }: { readonly conserved: { mass: boolean, weightedSum: boolean }, readonly told: Told | undefined }
): object {
  const { contractionRate, theoryRate, liarsNamed, training } = result
  const cycles = result.cycles.map(({ cycle, variance, bytesPerSite }) => ({ cycle, variance, bytesPerSite }))
  const facts = told == null ? {} : { clusters: told.clusters, announcementBytes: told.bytes }
  const said = { peers, dim, partner, codec, seed, cycles, contractionRate, theoryRate, liarsNamed, conserved, ...facts }
  return training == null ? said : { ...said, training }
}

function describe (options: SimulationOptions, result: SimulationResult, told: Told | undefined): string {
  const { peers, dim, partner, codec, seed } = options
  const { cycles, contractionRate, theoryRate, liars, liarsNamed, honestNamed, meanMoved, training, changed } = result
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
    ...(training == null
      ? [`contraction of the variance per cycle: ${rate(contractionRate)}; theory, when nothing disturbs: ${rate(theoryRate)}`]
      : describeTraining(options, training)),
    ...(told == null ? [] : [describeTold(told)]),
    ...(liars > 0
      ? [
        `liars named: ${liarsNamed} of ${liars}; honest sites named: ${honestNamed}; the honest mean moved by ${
          (100 * meanMoved).toFixed(2)
        } % of the spread at the start`
        ]
      : []),
    `Σw changed by ${changed.mass}, Σw·x${training == null ? '' : ', but for training and catching up,'} by ${
      changed.weightedSum.toExponential(1)
    } of Σw·‖x‖ (float32 rounding is about 1e-7)`
  ].join('\n')
}

function describeTold ({ clusters, announced, bytes, mostBytes }: Told): string {
  const sizes = clusters.length === 1 ? 'one cluster' : `${clusters.length} clusters, of ${clusters.join(', ')} sites`
  return `by facts of ${announced.byteLength} bytes in announcements of ${bytes} (the most is ${mostBytes}) the sites are ${sizes}`
}

function describeTraining (
  { spread, slowness }: SimulationOptions,
  { rounds, slow, steps, slowSteps, waited, caughtUp, spreadSeconds, groups }: TrainingResult
): string[] {
  const reached = spreadSeconds == null
    ? 'never'
    : `after ${spreadSeconds.toFixed(1)} s of virtual time (a cycle, and a round of theirs, is ${CYCLE_MS / 1_000} s)`
  return [
    `training: ${rounds} rounds; ${arrivedOf(steps)}`,
    ...(slow > 0 ? [`${slow} ${slow === 1 ? 'site' : 'sites'} ${slowness} times as slow: ${arrivedOf(slowSteps)}`] : []),
    ...(groups == null ? [] : [describeGroups(groups)]),
    `sites waited for others ${times(waited)}, and caught up ${times(caughtUp)}`,
    `RMS of ${slow > 0 ? 'the others' : 'all sites'} at ${spread} of the start: ${reached}`
  ]
}

function describeGroups ({ formed, broken, rounds, served }: NonNullable<TrainingResult['groups']>): string {
  return `${formed} groups, ${broken} broke off; a group had carried ${served} of ${rounds} rounds by their end ` +
    `(${(100 * served / rounds).toFixed(1)} %)`
}

function arrivedOf ({ trained, arrived }: VirtualSteps): string {
  return `${arrived} of ${trained} steps arrived at another site (${(100 * arrived / trained).toFixed(1)} %)`
}

function times (count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function pad (text: string, index: number): string {
  return index === 0 ? text.padEnd(7) : text.padEnd(12)
}

async function plot (path: string, options: SimulationOptions, result: SimulationResult, text: string): Promise<void> {
  const { plotPage, plotSvg } = await import('../../report/simulation-plot.ts')
  const svg = plotSvg(options, result)
  await writeFileSafely(path, path.endsWith('.svg') ? svg : plotPage(svg, text), SHARED_FILE)
}
