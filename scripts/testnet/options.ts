import yargs from 'yargs'
import { usageMessage, withFlags } from '../../src/cli/flags.ts'
import { flagsWithDefaults, flagWithDefault, requireWithin } from '../../src/cli/setting-flags.ts'
import { UsageError } from '../../src/errors.ts'
import { parseLabelling, type Labelling } from '../../src/experiment/annotator.ts'
import { PRESET_NAMES, presetOf, type PresetName } from '../../src/settings/methods/index.ts'
import { LABEL_FREE } from '../../src/settings/methods/label-free.ts'
import { WEAK } from '../../src/settings/methods/weak.ts'
import { engine, type ComputeSettings } from '../../src/settings/site/compute.ts'
import { training } from '../../src/settings/training.ts'
import { parseClasses, type SampleClass } from './classes.ts'
import { parseImages, parseLiar, parseLoss, parsePartition, parseSlow, parseSwapped, type Conditions } from './conditions.ts'
import { parseFault, type Fault } from './faults.ts'
import { STANDARD, type Base } from './standard.ts'

export interface TestnetOptions {
  readonly hospitals: number
  /** Base that all hospitals start from. */
  readonly base: Base
  readonly rounds: number
  /** Folder with one folder per hospital; undefined = the bundled sample. */
  readonly data: string | undefined
  readonly out: string
  readonly seed: number
  /** Preset of the federation. */
  readonly method: PresetName
  /** JSON file with what shall differ from the method; none: nothing. */
  readonly settings: string | undefined
  /** The hospitals seal what they train. */
  readonly secure: boolean
  readonly faults: readonly Fault[]
  readonly conditions: Conditions
  /** Classes of the bundled sample; none: its masks as they are. */
  readonly classes: readonly SampleClass[]
  /** Hospitals without labels that join while the others train. */
  readonly readers: number
  /** Hospitals, from 0, whose images have no label at all. */
  readonly unlabelled: ReadonlySet<number>
  /** What of the hospitals' training images has labels; all of them masks if not given. */
  readonly labelling?: Labelling
  readonly compare: boolean
  readonly engine: ComputeSettings['engine']
  readonly provider: ComputeSettings['provider']
  readonly json: boolean
}

const DEFAULT_HOSPITALS = 4
const LEAST_SECURE = 3
const BASES = Object.keys(STANDARD) as Base[]

const MAX_HOSPITALS = 64
const MAX_ROUNDS = 10_000

const everyHospital = engine.pick({ engine: true, provider: true })
const seed = training.shape.seed.max(2 ** 31 - 1)

const flags = {
  hospitals: { type: 'number', describe: 'how many hospitals to start', default: DEFAULT_HOSPITALS },
  base: { choices: BASES, describe: 'base that all hospitals start from; litemedsam sees images at 128 pixels', default: BASES[0]! },
  rounds: {
    type: 'number',
    describe: `local rounds of every hospital (default: ${BASES.map((base) => `${STANDARD[base].rounds} for ${base}`).join(', ')})`
  },
  data: { type: 'string', describe: 'folder with one data folder per hospital (default: the bundled sample)' },
  out: { type: 'string', describe: 'folder for homes, logs and the report', default: 'out/testnet' },
  seed: flagWithDefault(seed),
  method: { choices: PRESET_NAMES, describe: 'method that all hospitals train by (docs/reference/methods.md)', default: PRESET_NAMES[0] },
  settings: {
    type: 'string',
    describe: 'JSON file with what shall differ from the method, as for "federation create" (docs/reference/settings.md)'
  },
  secure: {
    type: 'boolean',
    describe: 'nobody sees what one hospital trained: masked groups of at least three carry it (averaging.secure)',
    default: false
  },
  kill: {
    type: 'string',
    array: true,
    describe: 'SITE@ROUND: end this hospital for good (SIGKILL) in that round; sites count from 0',
    default: [] as string[]
  },
  restart: {
    type: 'string',
    array: true,
    describe: 'SITE@ROUND: SIGKILL in that round, then start again on the same home',
    default: [] as string[]
  },
  loss: { type: 'number', describe: 'P: each frame of an exchange is lost with this probability, and its stream with it', default: 0 },
  slow: {
    type: 'string',
    array: true,
    describe: 'SITE:FACTOR: every training step of this hospital takes FACTOR times as long',
    default: [] as string[]
  },
  images: {
    type: 'string',
    array: true,
    describe: 'SITE:FACTOR: this hospital has FACTOR times the training images: its own, and simulated copies that are not the same pixels',
    default: [] as string[]
  },
  liar: {
    type: 'string',
    array: true,
    describe: 'SITE or SITE:KIND: this hospital sends its adapter with noise of ten times what it learnt (noise), as far off one way as ' +
      'its partners let it (drift), or mirrored at the start (flip)',
    default: [] as string[]
  },
  partition: {
    type: 'string',
    array: true,
    describe: "A|B@FROM-TO, e.g. '0,1|2,3@2-4': no connection between A and B while sites of B are in these rounds",
    default: [] as string[]
  },
  reader: { type: 'number', describe: 'N: so many more hospitals, without labels, join while the others train, and only read', default: 0 },
  classes: {
    type: 'string',
    describe: 'brain, deep-grey, or brain,deep-grey: what of the bundled sample is segmented, by a federation that names its classes'
  },
  labels: {
    type: 'string',
    describe: 'mixed-weak (hospital after hospital scribbles, points, boxes, blocks, by simulated annotators) or few:SHARE (that part of ' +
      'the training images has masks, the rest nothing); with --method partial, fedicra, fedsemidg, iscos, fedu or fedca'
  },
  unlabelled: {
    type: 'string',
    array: true,
    describe: 'SITE: this hospital has no label at all, not even to be scored by; with --labels and --method fedsemidg, iscos, fedu ' +
      'or fedca',
    default: [] as string[]
  },
  swapped: {
    type: 'string',
    array: true,
    describe: 'SITE: the masks of this hospital have the values of the two classes exchanged; with --classes brain,deep-grey',
    default: [] as string[]
  },
  compare: {
    type: 'boolean',
    describe: "train each hospital alone too, and score all models on the other hospitals' images",
    default: false
  },
  ...flagsWithDefaults(everyHospital),
  json: { type: 'boolean', describe: 'print the report as one JSON object on stdout; progress goes to stderr', default: false }
} as const

/** The options of one run, or undefined after --help. @throws UsageError for anything mistyped. */
export async function parseOptions (args: string[]): Promise<TestnetOptions | undefined> {
  const parser = withFlags(yargs(args), flags)
    .scriptName('npm run testnet --')
    .usage('$0: hospitals on this machine learn together, each in its own process; ends with report.json and report.html')
    .epilogue(
      'Exit code 0: every hospital that was not killed finished and every result check holds; 1: not so; 2: wrong usage; 130: interrupted.'
    )
    .version(false)
    .strict()
    .wrap(null)
    .exitProcess(false)
    .fail((message, error: Error | undefined) => { throw error ?? new UsageError(usageMessage(message, args)) })
  const parsed = await parser.parseAsync()
  if (parsed['help'] === true) return undefined
  const hospitals = wholeNumber('--hospitals', parsed.hospitals, 2, MAX_HOSPITALS)
  requireWithin({ seed }, parsed)
  const rounds = wholeNumber('--rounds', parsed.rounds ?? STANDARD[parsed.base].rounds, 1, MAX_ROUNDS)
  const kills = parsed.kill.map((text) => parseFault('kill', text, hospitals, rounds))
  const restarts = parsed.restart.map((text) => parseFault('restart', text, hospitals, rounds))
  const faults = [...kills, ...restarts]
  const lies = new Map(parsed.liar.map((text) => parseLiar(text, hospitals)))
  requireSensible(faults, hospitals)
  if (parsed.secure && hospitals < LEAST_SECURE) {
    throw new UsageError(`--secure needs groups of three: give --hospitals ${LEAST_SECURE} or more`)
  }
  const classes = parsed.classes == null ? [] : parseClasses(parsed.classes, parsed.data)
  return {
    hospitals,
    base: parsed.base,
    rounds,
    data: parsed.data,
    out: parsed.out,
    seed: parsed.seed,
    method: parsed.method,
    settings: parsed.settings,
    secure: parsed.secure,
    faults,
    conditions: {
      loss: parseLoss(parsed.loss),
      slow: new Map(parsed.slow.map((text) => parseSlow(text, hospitals))),
      images: new Map(parsed.images.map((text) => parseImages(text, hospitals))),
      liars: new Set(lies.keys()),
      lies,
      swapped: new Set(parsed.swapped.map((text) => parseSwapped(text, hospitals, classes.length))),
      partitions: parsed.partition.map((text) => parsePartition(text, hospitals, rounds))
    },
    classes,
    ...(parsed.labels == null ? {} : { labelling: labellingOf(parsed.labels, parsed) }),
    unlabelled: unlabelledOf(parsed, hospitals),
    readers: wholeNumber('--reader', parsed.reader, 0, MAX_HOSPITALS),
    compare: parsed.compare,
    engine: parsed.engine,
    provider: parsed.provider,
    json: parsed.json
  }
}

interface Beside { readonly method: PresetName, readonly classes?: string | undefined, readonly images: readonly string[] }

/** `--labels`, for a method that trains on marks. @throws UsageError. */
function labellingOf (text: string, { method, classes, images }: Beside): Labelling {
  const found = parseLabelling(text)
  if (found == null) throw new UsageError(`--labels ${text} must be mixed-weak, or few: and a share between 0 and 1, as few:0.2`)
  if (classes != null || images.length > 0) throw new UsageError('--labels does not go with --classes or --images: leave one of them out')
  if (presetOf(method).settings.training?.supervision != null) return found
  const able = [...WEAK, ...LABEL_FREE].map(({ name }) => name).join(' or ')
  throw new UsageError(`--labels ${text}: ${method} trains on whole masks alone: give --method ${able}`)
}

interface Bare extends Pick<Beside, 'method'> { readonly unlabelled: readonly string[], readonly labels?: string | undefined }

/** `--unlabelled`, for a method that has use for images without labels, as long as somebody has some. @throws UsageError. */
function unlabelledOf (
  { unlabelled, labels, method }: Bare,
  hospitals: number
): ReadonlySet<number> {
  const sites = new Set(unlabelled.map((text) => wholeNumber('--unlabelled', Number(text), 0, hospitals - 1)))
  if (sites.size === 0) return sites
  if (labels == null) throw new UsageError('--unlabelled takes the rest of a hospital\'s labels away: give --labels, too')
  if (presetOf(method).settings.training?.supervision?.includes('none') !== true) {
    throw new UsageError(`--unlabelled: ${method} has no use for images without labels: give --method fedsemidg, iscos, fedu or fedca`)
  }
  if (sites.size === hospitals) throw new UsageError('--unlabelled: without any label nothing can be learnt: leave one hospital out')
  return sites
}

function wholeNumber (flag: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new UsageError(`${flag} must be a whole number from ${least} to ${most}`)
}

function requireSensible (faults: readonly Fault[], hospitals: number): void {
  const killed = new Map(faults.filter(({ kind }) => kind === 'kill').map(({ site, round }) => [site, round]))
  if (killed.size > hospitals - 1) throw new UsageError('--kill ends every hospital: leave at least one')
  for (const { kind, site, round } of faults) {
    if (kind === 'restart' && round >= (killed.get(site) ?? Infinity)) {
      throw new UsageError(`--restart ${site}@${round}: hospital ${site} is killed for good in round ${killed.get(site)}`)
    }
  }
}
