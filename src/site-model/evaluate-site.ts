import { access, constants, mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { mean } from '../common/mean.ts'
import { systemReason } from '../common/system-error.ts'
import { hasForeground, loadDataset, skippedIn, writeOutput, type LabelMap, type Slice } from '../dataset/index.ts'
import { InputError } from '../errors.ts'
import { sitePaths } from '../home/paths.ts'
import type { WhichRound } from '../home/round-adapter.ts'
import { classMeans } from '../model/classes/scores.ts'
import { summariseClass, type ClassSummary } from '../model/scores/class-summary.ts'
import type { ImageScore } from '../model/scores/overlap.ts'
import type { SampleScore } from '../model/classes/evaluation.ts'
import type { Mode } from '../settings/model.ts'
import type { ComputeSettings } from '../settings/site/compute.ts'
import { caseTable } from './evaluate/case-table.ts'
import { MODES, scoreCaseInModes, type CaseOutcome, type NamedScore } from './evaluate/score-cases.ts'
import { casesOf, unseenSlices } from './evaluate/site-cases.ts'
import { worstCases, type WorstCase } from './evaluate/worst-cases.ts'
import { Corrections } from './corrections/corrections.ts'
import { readSides } from './sides.ts'
import { openSiteModel } from './site-model.ts'
import { Withdrawn } from './withdrawals/withdrawn.ts'

export interface EvaluateOptions {
  /** `validation` keeps only what training never saw */
  readonly split: 'validation' | 'all'
  readonly compute?: Partial<ComputeSettings>
  /** whose global adapter; the last by default */
  readonly round?: WhichRound | undefined
  /** NSD's tolerance: mm, or pixels where no voxel size is known */
  readonly tolerance: number
  /** where the table of cases goes */
  readonly csv?: string | undefined
  /** how many cases of the personal model to name */
  readonly worst?: number | undefined
  /** the folder for pictures of them */
  readonly pictures?: string | undefined
}

const NO_LABELS = 'this site has no labels to score by: name a folder with masks by --data, or look at what "consilium predict" finds'

/** Means over images with foreground, HD95 in pixels; below, patients (docs/metrics.md). */
interface ModeScore extends ImageScore {
  readonly perSlice: readonly SampleScore[]
  readonly cases: readonly NamedScore[]
  /** over patients: of all classes together, and of each by its name */
  readonly patients: ClassSummary
  readonly classes: Readonly<Record<string, ClassSummary>>
}

export type Evaluation = Readonly<Record<Mode, ModeScore>> & {
  readonly round: number
  /** with foreground, scored as images; `allSlices` counts the others, too */
  readonly slices: number
  readonly allSlices: number
  readonly patients: number
  /** the validation split of a single patient: a part of it */
  readonly slab: boolean
  readonly skipped: number
  readonly tolerance: number
  readonly worst: readonly WorstCase[]
}

/**
 * Scores of all three modes on a data set, over images and over patients; on what the site trains on, if no folder is given.
 * @throws InputError for what the user must mend
 */
export async function evaluateSite (home: string, given: string | undefined, options: EvaluateOptions): Promise<Evaluation> {
  await prepareOutputs(options)
  const site = await openSiteModel(home, options.compute, options.round)
  try {
    const { training } = site.federation.document
    if (given == null && site.config.withoutLabels) throw new InputError(NO_LABELS)
    const before = await readSides(sitePaths(home).privateStore)
    const data = given ?? site.config.data ?? before.data
    if (data == null) throw new InputError(`${home} does not know its images yet: name their folder with --data, or start the site`)
    // Pictures of the worst cases show them at their own size.
    const sides = options.pictures == null ? { sides: [site.learner.inputSize] } : {}
    const corrected = await new Corrections(sitePaths(home).privateStore).files(data)
    const { withdrawn } = await Withdrawn.read(sitePaths(home).privateStore)
    const dataset = await loadDataset(data, { ...site.reading, ...sides, corrected, withdrawn, empty: true })
    const slices = options.split === 'all' ? dataset.slices : unseenSlices(dataset.slices, { ...training, ...before })
    requireSlices(slices, data, options.split, dataset.slices)
    const outcomes: Record<Mode, CaseOutcome[]> = { frozen: [], global: [], personal: [] }
    const { learner, adapter, labels } = site
    const { tolerance } = options
    for (const each of casesOf(slices)) {
      const found = await scoreCaseInModes(each, {
        learner,
        adapter,
        tolerance,
        labels,
        needsBox: training.prompt === 'box'
      })
      for (const mode of MODES) outcomes[mode].push(found[mode])
    }
    const score = (mode: Mode): ModeScore => summarise(outcomes[mode], training.seed, labels)
    const result = { frozen: score('frozen'), global: score('global'), personal: score('personal') }
    if (options.csv != null) await writeOutput(options.csv, caseTable(casesIn(result), tolerance))
    return {
      round: site.round,
      slices: slices.filter(hasForeground).length,
      allSlices: slices.length,
      patients: new Set(slices.map(({ subject }) => subject)).size,
      slab: isSlab(slices, dataset.slices),
      skipped: skippedIn(dataset.problems),
      tolerance,
      ...result,
      worst: await worstCases(outcomes.personal, options.worst ?? 0, options.pictures)
    }
  } finally {
    await site.close()
  }
}

/** Before the work of minutes. @throws InputError naming what could not be written */
async function prepareOutputs ({ csv, pictures }: EvaluateOptions): Promise<void> {
  const refused = (file: string, what?: string) => (error: unknown): never => {
    throw new InputError(`${file} cannot be written: ${systemReason(error, what)}`)
  }
  if (csv != null) {
    await access(dirname(csv), constants.W_OK).catch(refused(csv, 'its folder'))
    if (await stat(csv).then((found) => found.isDirectory(), () => false)) throw new InputError(`${csv} is a folder: name a file`)
  }
  if (pictures != null) await mkdir(pictures, { recursive: true }).catch(refused(pictures))
}

function requireSlices (slices: readonly Slice[], data: string, split: EvaluateOptions['split'], all: readonly Slice[]): void {
  if (slices.length > 0) return
  throw new InputError(
    `${data} has ${
      split === 'all' ? 'no slices' : `no slices to validate with (${all.length} in all): use --split all`
    }, or look at it with consilium data check`
  )
}

/** Whether training saw other slices of a patient who is scored. */
function isSlab (scored: readonly Slice[], all: readonly Slice[]): boolean {
  const [patients, chosen] = [new Set(scored.map(({ subject }) => subject)), new Set(scored)]
  return all.some((slice) => patients.has(slice.subject) && hasForeground(slice) && !chosen.has(slice))
}

function summarise (outcomes: readonly CaseOutcome[], seed: number, labels: LabelMap | undefined): ModeScore {
  const perSlice = outcomes.flatMap(({ images }) => images)
  const cases = outcomes.flatMap(({ scores }) => scores)
  return {
    // Of several classes as the trainer has it: a mean over classes, not over images.
    dice: labels == null ? mean(perSlice.map(({ dice }) => dice)) : classMeans(perSlice, labels).dice,
    iou: finiteMean(perSlice.map(({ iou }) => iou)),
    hd95: finiteMean(perSlice.map(({ hd95 }) => hd95)),
    perSlice,
    cases,
    patients: summariseClass(cases, seed),
    classes: Object.fromEntries([...Map.groupBy(cases, (each) => each.class)].map(([name, own]) => [name, summariseClass(own, seed)]))
  }
}

function casesIn (scores: Readonly<Record<Mode, ModeScore>>): Record<Mode, readonly NamedScore[]> {
  return { frozen: scores.frozen.cases, global: scores.global.cases, personal: scores.personal.cases }
}

/** HD95 of an image is undefined where only one of truth and prediction is empty; such slices are left out of its mean. */
function finiteMean (values: readonly number[]): number {
  return mean(values.filter(Number.isFinite))
}
