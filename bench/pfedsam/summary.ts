import { createSchema } from '../../src/adapter/schema.ts'
import { mean } from '../../src/common/mean.ts'
import { methodOf } from '../../src/experiment/jobs.ts'
import type { Labelling } from '../../src/experiment/annotator.ts'
import type { LabelNoise } from '../../src/experiment/label-noise.ts'
import { METHODS, type Method } from '../../src/experiment/methods.ts'
import type { RunRecord } from '../../src/experiment/run-job.ts'
import { globalParameters } from '../../src/model/parameters/groups.ts'
import { travellingTensors } from '../../src/model/parameters/lora-aggregation.ts'
import { globalGroups } from '../../src/model/parameters/shared-set.ts'
import { selectionGroups } from '../../src/model/parameters/site-selection.ts'
import { samConfig } from '../../src/model/sam/build-sam.ts'
import { presetOf } from '../../src/settings/methods/index.ts'
import { defaultModelSettings } from '../../src/settings/model.ts'
import { adjustedRand, withinGroup } from './groups.ts'
import { conditionName, kindDice, type KindDice } from './labels.ts'
import { passesOf } from './passes.ts'
import { areAlike, groupsOf } from './sites.ts'

/** Mean and sample standard deviation over the seeds; the latter is 0 with one seed. */
export interface Spread { readonly mean: number, readonly sd: number, readonly count: number }

interface SiteSummary {
  readonly name: string
  readonly dice: Spread
  /** Of what the site trained alone beside the others, and what it served, by seed; where the method has a choice. */
  readonly alone?: Spread
  readonly serves?: readonly string[]
}

export interface MethodSummary {
  readonly method: string
  readonly title: string
  readonly ablation: boolean
  readonly sites: readonly SiteSummary[]
  readonly dice: Spread
  readonly iou: Spread
  /** Pixels; undefined where no image had both. */
  readonly hd95: Spread | undefined
  /** Images of a seed that hd95 leaves out: truth or prediction was empty. */
  readonly missed: Spread
  /** Mean Dice over the sites by seed, in the order of the seeds. */
  readonly bySeed: readonly { readonly seed: number, readonly dice: number }[]
  /** Of sites by how they mark, where they mark unlike each other; for rows with all masks, as those of the same places do. */
  readonly kinds: readonly { readonly kind: KindDice['kind'], readonly dice: Spread }[]
  /** Lowest site of each seed, and standard deviation over its sites. */
  readonly worst: Spread
  readonly overSites: Spread
  /** Part of what sites serve that is of cores of their own group, 0 to 1; where the method learns it and the data set has groups. */
  readonly within: Spread | undefined
  /** Adjusted Rand index of the groups that the method found against those that there are; where it looks for them. */
  readonly rand: Spread | undefined
  readonly globalDice: Spread
  /** Sent per site and round. */
  readonly bytes: Spread
  /** Forward and backward passes per image of a step of both phases. */
  readonly passes: number
  /** Numbers of the adapter that travel, here, and in ViT-B by its default settings with the method's change. */
  readonly numbers: number
  readonly numbersVitB: number
  /** Mean cosine of the sites' updates; undefined where it was not measured. */
  readonly agreement: Spread | undefined
  readonly seconds: Spread
  /** First scored round at 95 % of the final Dice. */
  readonly roundsTo95: Spread
  readonly curve: readonly { readonly round: number, readonly dice: Spread }[]
  /** Of what sites serve, on images of others; where that was scored. */
  readonly cross?: CrossSummary
}

/** Means over pairs of two sites, by seed. */
interface CrossSummary {
  /** Of sites that see alike. */
  readonly alike: Spread
  /** Of sites that see otherwise; undefined where all see alike. */
  readonly unlike: Spread | undefined
}

interface UnseenSummary {
  readonly method: string
  readonly title: string
  readonly zeroShot: Spread
  /** Without labels; undefined where the method has nothing to fit. */
  readonly adapted: Spread | undefined
  readonly personalised: Spread
  /** The other sites' models trained alone on the same images: served, and their shared part. */
  readonly localServed: Spread | undefined
  readonly localShared: Spread | undefined
  /** Zero-shot less the better of the two, site by site. */
  readonly gain: Spread | undefined
  /** Zero-shot less FedAvg-LoRA's with the same site left out, site by site; undefined where that was not run, and of itself. */
  readonly overPlain: Spread | undefined
}

export interface DataSummary {
  readonly data: string
  /** What of the training images had labels; all of them masks if not given. */
  readonly labelling?: Labelling
  /** Which masks were wrong on purpose. */
  readonly noise?: LabelNoise
  readonly seeds: readonly number[]
  readonly methods: readonly MethodSummary[]
  /** Rows with masks of all training images of the same patients, where those of `methods` lack some. */
  readonly masked: readonly MethodSummary[]
  readonly unseen: readonly UnseenSummary[]
}

const NEARLY = 0.95
/** What methods for unlike sites add to. */
const PLAIN = 'fedavg-lora'

export function spread (values: readonly number[]): Spread {
  const average = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0)
  return { mean: average, sd: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)), count: values.length }
}

function known (values: readonly number[]): Spread | undefined {
  return values.length === 0 ? undefined : spread(values)
}

/** What all runs together say, by data set and labelling. */
export function summarise (records: readonly RunRecord[]): DataSummary[] {
  return [...Map.groupBy(records, ({ job }) => conditionName(job)).values()].map((here) => {
    const { data, noise, labelling } = here[0]!.job
    const masked = labelling == null ? [] : records.filter(({ job }) => job.data === data && job.labelling == null)
    return {
      data,
      ...(labelling == null ? {} : { labelling }),
      ...(noise == null ? {} : { noise }),
      seeds: [...new Set(here.map(({ job }) => job.seed))].sort((a, b) => a - b),
      methods: summariseMethods(here, labelling),
      masked: summariseMethods(masked, labelling),
      unseen: summariseUnseen(here)
    }
  })
}

function summariseMethods (records: readonly RunRecord[], labelling: Labelling | undefined): MethodSummary[] {
  const whole = records.filter(({ job }) => job.leftOut == null)
  return METHODS.flatMap(({ name }) => {
    const runs = whole.filter(({ job }) => job.method === name)
    return runs.length === 0 ? [] : [summariseMethod(runs, labelling)]
  })
}

function summariseMethod (runs: readonly RunRecord[], labelling: Labelling | undefined): MethodSummary {
  const method = methodOf(runs[0]!.job)
  const { title, name, ablation } = method
  const over = (value: (run: RunRecord) => number): Spread => spread(runs.map(value))
  const bySeed = runs.map(({ job, sites }) => ({ seed: job.seed, dice: mean(sites.map(({ dice }) => dice)) }))
  const distances = runs.map(({ sites }) => mean(sites.flatMap(({ hd95 }) => hd95 ?? []))).filter(Number.isFinite)
  return {
    method: name,
    title,
    ablation: ablation === true,
    sites: runs[0]!.sites.map(({ name: site }, index) => summariseSite(site, runs.map(({ sites }) => sites[index]!))),
    dice: spread(bySeed.map(({ dice }) => dice)),
    iou: over(({ sites }) => mean(sites.map(({ iou }) => iou))),
    hd95: distances.length === 0 ? undefined : spread(distances),
    missed: over(({ sites }) => sites.reduce((sum, { missed }) => sum + missed, 0)),
    bySeed,
    kinds: kindDice(runs, labelling).map(({ kind, bySeed: dice }) => ({ kind, dice: spread(dice) })),
    worst: over(worstOf),
    overSites: over(overSitesOf),
    within: known(runs.flatMap((run) => withinOf(run) ?? [])),
    rand: known(runs.flatMap((run) => randOf(run) ?? [])),
    globalDice: over(({ sites }) => mean(sites.map(({ globalDice }) => globalDice))),
    bytes: over(({ sites, job }) => mean(sites.map(({ bytesSent }) => bytesSent)) / job.rounds),
    passes: passesOf(runs[0]!.job),
    numbers: runs[0]!.size,
    numbersVitB: sharedAtVitB(method),
    agreement: known(runs.flatMap(({ agreement }) => agreement ?? [])),
    seconds: over(({ trainSeconds }) => trainSeconds),
    roundsTo95: over(roundsTo95),
    curve: runs[0]!.curve.map(({ round }, index) => ({ round, dice: over(({ curve }) => mean(curve[index]!.dice)) })),
    ...crossOf(runs)
  }
}

/** Dice of the lowest site of a run. */
export function worstOf ({ sites }: Pick<RunRecord, 'sites'>): number {
  return Math.min(...sites.map(({ dice }) => dice))
}

/** Sample standard deviation of Dice over the sites of a run. */
export function overSitesOf ({ sites }: Pick<RunRecord, 'sites'>): number {
  return spread(sites.map(({ dice }) => dice)).sd
}

/** Undefined where the method does not learn what to serve of whom, and where all sites are of one group. */
export function withinOf ({ job, parts }: Pick<RunRecord, 'job' | 'parts'>): number | undefined {
  const groups = groupsOf(job.data)
  return parts == null || groups == null ? undefined : withinGroup(parts, groups)
}

/** Where it is not known which groups there are, as in a folder, undefined. */
export function randOf ({ job, groupsFound }: Pick<RunRecord, 'job' | 'groupsFound'>): number | undefined {
  const groups = groupsOf(job.data)
  return groupsFound == null || groups == null ? undefined : adjustedRand(groupsFound, groups)
}

function crossOf (runs: readonly RunRecord[]): Pick<MethodSummary, 'cross'> {
  const means = (alike: boolean): number[] => runs.flatMap(({ job, cross }) => {
    const pairs = cross?.served.flatMap((row, i) => row.filter((_, j) => i !== j && areAlike(job.data, i, j) === alike)) ?? []
    return pairs.length === 0 ? [] : [mean(pairs)]
  })
  const [alike, unlike] = [means(true), means(false)]
  return alike.length === 0 ? {} : { cross: { alike: spread(alike), unlike: unlike.length === 0 ? undefined : spread(unlike) } }
}

function summariseSite (name: string, scores: readonly RunRecord['sites'][number][]): SiteSummary {
  const alone = scores.flatMap(({ aloneDice }) => aloneDice ?? [])
  const own = alone.length === 0 ? {} : { alone: spread(alone), serves: scores.flatMap(({ serves }) => serves ?? []) }
  return { name, dice: spread(scores.map(({ dice }) => dice)), ...own }
}

/** First scored round from which the mean Dice is at least 95 % of the last. */
export function roundsTo95 ({ curve }: Pick<RunRecord, 'curve'>): number {
  const values = curve.map(({ dice }) => mean(dice))
  return curve[values.findIndex((value) => value >= NEARLY * values.at(-1)!)]!.round
}

/** Numbers that travel of ViT-B's adapter, by its default settings with the method's changes. */
function sharedAtVitB ({ preset }: Method): number {
  const config = samConfig('vit-b')
  const { model, method } = presetOf(preset).settings
  const standard = defaultModelSettings(config)
  const settings = { ...standard, ...model, lora: { ...standard.lora, ...model?.lora }, moe: { ...standard.moe, ...model?.moe } }
  const groups = [...globalGroups(config, settings, method?.keeps), ...selectionGroups(config.width, method?.siteContrast)]
  const shared = globalParameters(groups, 'shared')
  const tensors = travellingTensors(settings.lora.aggregation ?? 'factors', shared)
  return createSchema({ model: config.name, baseHash: '0', tensors }).size
}

function summariseUnseen (records: readonly RunRecord[]): UnseenSummary[] {
  return METHODS.flatMap(({ name, title }) => {
    const runs = records.filter(({ job, unseen }) => job.method === name && unseen != null)
    if (runs.length === 0) return []
    const others = (part: 'served' | 'shared'): number[] => runs.flatMap(({ job }) => othersOn(records, job.seed, job.leftOut!, part))
    const [served, shared] = [others('served'), others('shared')]
    const better = mean(served) > mean(shared) ? served : shared
    const zeroShot = runs.map(({ unseen }) => unseen!.zeroShot.dice)
    const over = (value: (run: RunRecord) => number | undefined): Spread | undefined => overSeeds(runs, value)
    return [{
      method: name,
      title,
      zeroShot: over(({ unseen }) => unseen!.zeroShot.dice)!,
      adapted: over(({ unseen }) => unseen!.adapted?.dice),
      personalised: over(({ unseen }) => unseen!.personalised.dice)!,
      localServed: known(served),
      localShared: known(shared),
      overPlain: name === PLAIN ? undefined : over((run) => overPlain(records, run)),
      gain: better.length === runs.length ? spread(zeroShot.map((dice, index) => dice - better[index]!)) : undefined
    }]
  })
}

/** Of what is known: over seeds, each the mean of its sites, where every seed left all out; else over sites. */
function overSeeds (runs: readonly RunRecord[], value: (run: RunRecord) => number | undefined): Spread | undefined {
  const found = runs.flatMap((run) => {
    const each = value(run)
    return each == null ? [] : [{ seed: run.job.seed, site: run.job.leftOut, value: each }]
  })
  if (found.length === 0) return undefined
  const seeds = [...Map.groupBy(found, ({ seed }) => seed).values()]
  const isEach = seeds.length > 1 && seeds.every(({ length }) => length === new Set(found.map(({ site }) => site)).size)
  return spread(isEach ? seeds.map((each) => mean(each.map((run) => run.value))) : found.map((run) => run.value))
}

/** Zero-shot less what FedAvg-LoRA had, with the same site left out of the same seed. */
function overPlain (records: readonly RunRecord[], { job, unseen }: RunRecord): number | undefined {
  const plain = records.find(({ job: other }) => other.method === PLAIN && other.seed === job.seed && other.leftOut === job.leftOut)
  return plain?.unseen == null ? undefined : unseen!.zeroShot.dice - plain.unseen.zeroShot.dice
}

/** Mean Dice on this site of the other sites' models trained alone with this seed, if that was run. */
function othersOn (records: readonly RunRecord[], seed: number, site: number, part: 'served' | 'shared'): number[] {
  const alone = records.find(({ job }) => job.method === 'local' && job.seed === seed && job.leftOut == null)
  const column = alone?.cross?.[part].flatMap((row, index) => index === site ? [] : [row[site]!])
  return column == null ? [] : [mean(column)]
}
