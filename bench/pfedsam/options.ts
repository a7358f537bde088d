import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import yargs from 'yargs'
import { UsageError } from '../../src/errors.ts'
import { parseLabelling, type Labelling } from '../../src/experiment/annotator.ts'
import type { DataFolder } from '../../src/experiment/data-source.ts'
import { parseNoise, type LabelNoise } from '../../src/experiment/label-noise.ts'
import { METHODS } from '../../src/experiment/methods.ts'
import { readOverrides } from '../../src/federation/settings.ts'
import { openFolder } from './folder.ts'
import { dataName, PRESETS, PRESET_NAMES, rowsOf, type Condition, type Preset } from './presets.ts'
import { DATA_NAMES, siteNames, type DataName } from './sites.ts'

export interface Options {
  readonly name: string
  readonly preset: Preset
  readonly workers: number
  readonly threads: number
  readonly runs: string
  readonly out: string
  readonly dryRun: boolean
}

const flags = {
  preset: {
    choices: PRESET_NAMES,
    describe: 'what to run: smoke, quick (a quarter of an hour), full (three seeds, with ablations), domain (unlike sites), ' +
      'mixing (who learns from whom), labels (few and weak labels)',
    default: 'quick'
  },
  data: { type: 'string', describe: `data sets, with commas: ${DATA_NAMES.join(', ')}, or a folder with one data folder per site` },
  only: { type: 'string', describe: 'methods, with commas (see docs/pfedsam-bench.md)' },
  seeds: { type: 'string', describe: 'seeds, with commas' },
  rounds: { type: 'number', describe: 'rounds of training' },
  train: { type: 'number', describe: 'training patients per phantom site' },
  validation: { type: 'number', describe: 'validation patients per phantom site' },
  labels: {
    type: 'string',
    describe: 'what of the training images has labels: mixed-weak (site after site scribbles, points, boxes, blocks, ' +
      'simulated), or few:SHARE'
  },
  noise: {
    type: 'string',
    describe: 'SITE,SITE:SHARE:RADIUS, as handheld:0.4:3: outlines of that share of these sites\' training patients lie so many pixels ' +
      'too far out or in, simulated'
  },
  settings: {
    type: 'string',
    describe: 'file of what shall differ from the defaults, for every method, as for "consilium federation create --settings"'
  },
  rates: { type: 'string', describe: 'methods with learning rates of their own, as times the usual ones: fedsam=3,fedper=0.3' },
  workers: { type: 'number', describe: 'runs at once; one per core by default' },
  threads: { type: 'number', describe: 'threads of each run', default: 1 },
  runs: { type: 'string', describe: 'folder of finished runs, which are not run again', default: join('out', 'pfedsam', 'runs') },
  out: { type: 'string', describe: 'folder of the report', default: join('out', 'pfedsam') },
  'dry-run': { type: 'boolean', describe: 'print the plan and how long it will take, and end', default: false }
} as const

/** @throws UsageError for what the bench does not have, InputError for a file of settings that cannot be read. */
export async function parseOptions (args: string[]): Promise<Options> {
  const parsed = await yargs(args)
    .scriptName('npm run bench:pfedsam --')
    .usage('$0: does pFedSAM by gossip beat what a hospital would do otherwise?')
    .options(flags)
    .strict()
    .wrap(null)
    .parseAsync()
  const preset = PRESETS[parsed.preset]
  const rounds = positive('--rounds', parsed.rounds ?? preset.rounds)
  const data = await dataSetsOf(parsed.data) ?? preset.data
  const only = listOf('--only', parsed.only, METHODS.map(({ name }) => name))
  return {
    name: parsed.preset,
    preset: {
      ...preset,
      rounds,
      train: positive('--train', parsed.train ?? preset.train),
      validation: positive('--validation', parsed.validation ?? preset.validation),
      scoreEvery: Math.min(preset.scoreEvery, rounds),
      data,
      ...rowsAsked(preset, only, parsed.labels),
      ...(parsed.only == null ? {} : { rows: {} }),
      ...await changesOf(parsed, data),
      seeds: parsed.seeds?.split(',').map((seed) => positive('--seeds', Number(seed))) ?? preset.seeds
    },
    workers: positive('--workers', parsed.workers ?? Math.max(1, Math.floor(availableParallelism() / parsed.threads))),
    threads: positive('--threads', parsed.threads),
    runs: parsed.runs,
    out: parsed.out,
    dryRun: parsed.dryRun
  }
}

/** Of a preset of several labellings those that are asked for; a row that none of them names is run with each that leaves masks out. */
function rowsAsked (
  { methods, conditions }: Preset,
  only: readonly string[] | undefined,
  labels: string | undefined
): Pick<Preset, 'methods'> & { readonly conditions?: readonly Condition[] } {
  if (conditions == null) return { methods: only ?? methods }
  const kept = labels == null ? conditions : conditions.filter(({ labelling }) => labelling === labellingOf(labels))
  const named = kept.length > 0 ? kept : [{ labelling: labellingOf(labels!), methods }]
  if (only == null) return { methods: rowsOf(named), conditions: named }
  const known = new Set(rowsOf(named))
  const asked = named.flatMap((condition): Condition[] => {
    const own = condition.labelling == null ? [] : only.filter((name) => !known.has(name))
    const { methods: rows, onFirst = [] } = condition
    const [everywhere, first] = [rows, onFirst].map((list) => list.filter((name) => only.includes(name))) as [string[], string[]]
    const all = [...everywhere, ...own]
    return all.length + first.length === 0 ? [] : [{ ...condition, methods: all, onFirst: first }]
  })
  return { methods: rowsOf(asked), conditions: asked }
}

interface Asked {
  readonly labels?: string | undefined
  readonly noise?: string | undefined
  readonly settings?: string | undefined
  readonly rates?: string | undefined
}

/** What is asked for beside the preset's own. */
async function changesOf (
  { labels, noise, settings, rates }: Asked,
  data: Preset['data']
): Promise<Pick<Preset, 'labelling' | 'noise' | 'settings' | 'rates'>> {
  return {
    ...(labels == null ? {} : { labelling: labellingOf(labels) }),
    ...(noise == null ? {} : { noise: noiseOf(noise, data) }),
    ...(settings == null ? {} : { settings: await readOverrides(settings) }),
    ...(rates == null ? {} : { rates: ratesOf(rates) })
  }
}

/** Data sets by name, and folders. */
export async function dataSetsOf (text: string | undefined): Promise<Preset['data'] | undefined> {
  if (text == null) return undefined
  const data = await Promise.all(text.split(',').map(async (each): Promise<DataName | DataFolder> => {
    const known = DATA_NAMES.find((name) => name === each)
    if (known != null) return known
    if (await stat(each).then((found) => found.isDirectory(), () => false)) return await openFolder(each)
    throw new UsageError(`--data: there is no ${each}: choose from ${DATA_NAMES.join(', ')}, or a folder with one data folder per site`)
  }))
  const names = data.map(dataName)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice != null) throw new UsageError(`--data: two data sets are called ${twice}: rename the folder of one`)
  return data
}

function labellingOf (text: string): Labelling {
  const found = parseLabelling(text)
  if (found != null) return found
  throw new UsageError(`--labels ${text} must be mixed-weak, or few: and a share of patients between 0 and 1, as few:0.2`)
}

/** In every data set that has one of the sites. */
function noiseOf (text: string, data: Preset['data']): Record<string, LabelNoise> {
  const noise = parseNoise(text)
  if (noise == null) {
    throw new UsageError(`--noise ${text} must be sites with commas, a share of patients up to 1 and whole pixels, as handheld:0.4:3`)
  }
  const sites = data.map((each) => ({ name: dataName(each), sites: sitesOf(each) }))
  const missing = noise.sites.find((name) => sites.every((each) => !each.sites.includes(name)))
  if (missing != null) {
    const known = new Set(sites.flatMap((each) => each.sites))
    throw new UsageError(`--noise: there is no site ${missing}: choose from ${[...known].join(', ')}`)
  }
  const noisy = sites.filter((each) => noise.sites.some((name) => each.sites.includes(name)))
  return Object.fromEntries(noisy.map(({ name }) => [name, noise]))
}

function sitesOf (data: DataName | DataFolder): readonly string[] {
  return typeof data === 'string' ? siteNames(data) : data.sites
}

function ratesOf (text: string): Record<string, number> {
  return Object.fromEntries(text.split(',').map((each): [string, number] => {
    const [name = '', factor = ''] = each.split('=')
    const [method] = listOf('--rates', name, METHODS.map((known) => known.name))!
    const rate = Number(factor)
    if (!(rate > 0 && rate < Infinity)) throw new UsageError(`--rates: ${each} must be a method, = and a number above 0, as fedsam=3`)
    return [method!, rate]
  }))
}

export function positive (flag: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw new UsageError(`${flag} must be a whole number above 0`)
}

function listOf<T extends string> (flag: string, text: string | undefined, known: readonly T[]): T[] | undefined {
  return text?.split(',').map((each) => {
    const found = known.find((name) => name === each)
    if (found == null) throw new UsageError(`${flag}: there is no ${each}; choose from ${known.join(', ')}`)
    return found
  })
}
