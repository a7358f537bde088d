import type { Labelling } from '../../src/experiment/annotator.ts'
import type { DataFolder } from '../../src/experiment/data-source.ts'
import type { Job } from '../../src/experiment/jobs.ts'
import type { LabelNoise } from '../../src/experiment/label-noise.ts'
import { METHODS } from '../../src/experiment/methods.ts'
import type { Overrides } from '../../src/federation/settings.ts'
import { defaultOf } from '../../src/settings/setting.ts'
import { training as trainingSettings } from '../../src/settings/training.ts'
import { isPhantom, siteCount, type DataName } from './sites.ts'

/** One way to label the training images, and the rows that are run with it. */
export interface Condition {
  /** All of them have masks if not given. */
  readonly labelling?: Labelling
  readonly methods: readonly string[]
  /** Rows of the first data set alone: what parts of a system are worth. */
  readonly onFirst?: readonly string[]
}

export interface Preset {
  readonly data: readonly (DataName | DataFolder)[]
  readonly methods: readonly string[]
  /** Instead of all methods with one labelling. */
  readonly conditions?: readonly Condition[]
  /** Of these data sets those methods alone. */
  readonly rows?: Readonly<Record<string, readonly string[]>>
  readonly seeds: readonly number[]
  readonly rounds: number
  /** Patients per phantom site. */
  readonly train: number
  readonly validation: number
  readonly scoreEvery: number
  /** Methods that are also run with one site left out, and how many sites are; one after another, with the seeds in turn. */
  readonly unseen: readonly string[]
  readonly leftOut: number
  /** Of these methods and phantoms, with each seed instead. */
  readonly unseenBySeed?: readonly string[]
  /** Whole runs score every site's model on every site's images. */
  readonly cross?: true
  /** What of the training images has labels; all of them masks if not given. */
  readonly labelling?: Labelling
  /** By data set: which of their masks are wrong on purpose. */
  readonly noise?: Readonly<Record<string, LabelNoise>>
  /** What differs from the defaults. */
  readonly settings?: Overrides
  /** By method: how many times its learning rates are those of the settings. */
  readonly rates?: Readonly<Record<string, number>>
}

const ALL = METHODS.filter(({ extra }) => extra == null)
const MAIN = ALL.filter(({ ablation }) => ablation == null)
const PHANTOMS: readonly DataName[] = ['fundus-phantom', 'prostate-phantom']
const UNSEEN = ['pfedsam-gossip', 'adaptive']
/** For sites that look unlike each other, or like none that was trained on. */
const UNLIKE = ['gin', 'gin-half', 'strong', 'cpss', 'feddg', 'fedda-joint', 'fedda-cyclic']

/** A new system is one name in the list of its labelling. */
const LABELLED: readonly Condition[] = [
  { methods: ['fedavg-lora', 'pfedsam-gossip'] },
  {
    labelling: 'mixed-weak',
    methods: ['partial', 'fedicra', 'iscos'],
    onFirst: ['partial-alone', 'pfedsam-partial', 'structure', 'fedicra-no-mix', 'fedicra-no-contrast', 'fedicra-no-structure']
  },
  {
    labelling: 'few:0.2',
    methods: ['partial', 'fedsemidg', 'iscos', 'fedu'],
    onFirst: ['fedsemidg-no-features', 'iscos-masks', 'fedca', 'partial-fewer']
  }
]

const THREE = ['local', 'fedavg-lora', 'pfedsam-gossip']
/** What each system of who learns from whom is for, and alike sites. */
const MIXED = {
  'prostate-conflict': [...THREE, 'apple', 'fca'],
  'two-organs': [...THREE, 'spp-fgc', 'spp-fgc-one', 'spp-fgc-decoder'],
  'fundus-phantom': [...THREE, 'fca', 'drflm', 'robust', 'mixup'],
  'prostate-phantom': [...THREE, 'apple', 'fca']
}

export const PRESET_NAMES = ['smoke', 'quick', 'full', 'domain', 'mixing', 'labels'] as const
export type PresetName = typeof PRESET_NAMES[number]

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  smoke: {
    data: ['fundus-phantom'],
    methods: ['frozen', 'local', 'fedavg-lora', 'pfedsam-gossip'],
    seeds: [1],
    rounds: 2,
    train: 4,
    validation: 3,
    scoreEvery: 1,
    unseen: UNSEEN,
    leftOut: 1
  },
  quick: {
    data: PHANTOMS,
    methods: MAIN.map(({ name }) => name),
    seeds: [1],
    rounds: 16,
    train: 20,
    validation: 12,
    scoreEvery: 4,
    unseen: UNSEEN,
    leftOut: 1
  },
  full: {
    data: PHANTOMS,
    methods: ALL.map(({ name }) => name),
    seeds: [1, 2, 3],
    rounds: 24,
    train: 20,
    validation: 16,
    scoreEvery: 4,
    unseen: UNSEEN,
    leftOut: Infinity
  },
  domain: {
    data: ['fundus-phantom', 'prostate-modality', 'colin27'],
    methods: ['local', 'fedavg-lora', 'pfedsam-gossip', ...UNLIKE, 'fedda-moments', 'fedda-mmd', 'site-norms'],
    seeds: [1, 2, 3],
    rounds: 16,
    train: 20,
    validation: 16,
    scoreEvery: 4,
    unseen: ['fedavg-lora', ...UNLIKE, ...UNSEEN],
    leftOut: Infinity,
    unseenBySeed: ['fedavg-lora', 'gin', 'gin-half', 'cpss'],
    cross: true
  },
  mixing: {
    data: ['prostate-conflict', 'two-organs', 'fundus-phantom', 'prostate-phantom'],
    methods: [...new Set(Object.values(MIXED).flat())],
    rows: MIXED,
    seeds: [1, 2, 3],
    rounds: 16,
    train: 20,
    validation: 16,
    scoreEvery: 4,
    unseen: [],
    leftOut: 0,
    noise: { 'fundus-phantom': { sites: ['handheld'], share: 0.4, radius: 3 } }
  },
  labels: {
    data: PHANTOMS,
    methods: rowsOf(LABELLED),
    conditions: LABELLED,
    seeds: [1, 2, 3],
    rounds: 12,
    train: 20,
    validation: 16,
    scoreEvery: 4,
    unseen: [],
    leftOut: 0
  }
}

/** Each once. */
export function rowsOf (conditions: readonly Condition[]): string[] {
  return [...new Set(conditions.flatMap(({ methods, onFirst = [] }) => [...methods, ...onFirst]))]
}

/** All runs of a preset: the figures that matter most first, so that an interrupted bench has them. */
export function jobsOf (preset: Preset): Job[] {
  const { data, methods, seeds, rounds, train, validation, scoreEvery, unseen, unseenBySeed = [], leftOut } = preset
  const { cross, labelling: ofAll, noise = {}, settings, rates = {}, rows = {} } = preset
  const isRow = (of: DataName | DataFolder, method: string): boolean => rows[dataName(of)]?.includes(method) ?? true
  const sizes = { rounds, train, validation, scoreEvery }
  const jobOf = (of: DataName | DataFolder, method: string, seed: number, labelling = ofAll): Job =>
    ({
      ...dataOf(of),
      method,
      seed,
      ...sizes,
      ...(labelling == null ? {} : { labelling }),
      ...noiseOf(noise[dataName(of)]),
      settings: withRound(settings, of, train),
      ...rateOf(rates[method])
    })
  const crossed = cross == null ? {} : { cross }
  const { conditions = [{ methods }] } = preset
  const main = conditions.flatMap((condition) => rowsOf([condition]).flatMap((method) =>
    dataFor(method, condition, data).filter((name) => isRow(name, method)).flatMap((name) => seeds.map((seed): Job =>
      ({ ...jobOf(name, method, seed, condition.labelling), ...crossed })))))
  const tried = unseen.filter((method) => methods.includes(method))
  const apart = tried.flatMap((method) => data.flatMap((name) => {
    const { data: title, folder } = dataOf(name)
    const sites = Array.from({ length: Math.min(leftOut, siteCount(title, folder)) }, (_, site) => site)
    const isEach = unseenBySeed.includes(method) && isPhantom(title)
    const seedsOf = (site: number): readonly number[] => isEach ? seeds : [seeds[site % seeds.length]!]
    return sites.flatMap((site) => seedsOf(site).map((seed): Job => ({ ...jobOf(name, method, seed), leftOut: site })))
  }))
  return [...main, ...apart]
}

function dataFor <T> (method: string, { methods }: Condition, data: readonly T[]): readonly T[] {
  return methods.includes(method) ? data : data.slice(0, 1)
}

export function dataOf (of: DataName | DataFolder): Pick<Job, 'data' | 'folder'> {
  return typeof of === 'string' ? { data: of } : { data: of.name, folder: of }
}

/** As reports have it. */
export function dataName (of: DataName | DataFolder): string {
  return dataOf(of).data
}

/** Nothing for the settings' own rates, so that runs without the flag stay the same ones. */
function rateOf (rate = 1): Pick<Job, 'rate'> {
  return rate === 1 ? {} : { rate }
}

function noiseOf (noise: LabelNoise | undefined): Pick<Job, 'noise'> {
  return noise == null ? {} : { noise }
}

/** Unless the settings say how long a round is, it is one epoch of a phantom site, as in all reports so far. */
function withRound (settings: Overrides = {}, data: DataName | DataFolder, train: number): Overrides {
  const training = (settings['training'] ?? {}) as Overrides
  const isSaid = ['stepsPerRound', 'epochsG', 'epochsL'].some((name) => name in training)
  if (isSaid || typeof data !== 'string' || !isPhantom(data)) return settings
  const batchSize = Number(training['batchSize'] ?? defaultOf(trainingSettings.shape.batchSize))
  return { ...settings, training: { ...training, stepsPerRound: Math.ceil(train / batchSize) } }
}
