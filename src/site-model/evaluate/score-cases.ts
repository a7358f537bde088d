import type { Adapter } from '../../adapter/adapter.ts'
import { EVERYTHING, hasForeground, resizeLabels, UNKNOWN, type LabelMap, type Slice } from '../../dataset/index.ts'
import { scoreClasses, shownIn } from '../../model/classes/scores.ts'
import { scoreCase, type Plane } from '../../model/scores/case-scores.ts'
import type { PatientCase } from '../../model/scores/class-summary.ts'
import { scoreImage } from '../../model/scores/overlap.ts'
import type { SampleScore } from '../../model/classes/evaluation.ts'
import type { Learner } from '../../model/train/learner.ts'
import type { Mode } from '../../settings/model.ts'
import { fitScored } from '../split.ts'
import type { SiteCase } from './site-cases.ts'

export const MODES = ['frozen', 'global', 'personal'] as const satisfies readonly Mode[]

/** A case in one class, with what a person calls it; both names are local, never logged or sent. */
export interface NamedScore extends PatientCase {
  readonly case: string
  readonly class: string
  readonly slices: number
}

/** How one case went in one mode. */
export interface CaseOutcome {
  /** slices with foreground, each as an image of its own */
  readonly images: readonly SampleScore[]
  /** by class */
  readonly scores: readonly NamedScore[]
  /** the slice with most wrong pixels, and what was found on it */
  readonly worst: { readonly slice: Slice, readonly mask: Uint8Array }
}

export interface ScoreOptions {
  readonly learner: Learner
  readonly adapter: Adapter
  /** NSD's tolerance: mm, or pixels where no voxel size is known */
  readonly tolerance: number
  /** the federation's classes; everything above 0 is one if not given */
  readonly labels: LabelMap | undefined
  /** the federation gives the decoder a box around the mask: where nothing is marked there is no box, and nothing is asked */
  readonly needsBox: boolean
}

/** Slices that are on the model's canvas at a time. */
const AT_A_TIME = 32

/** Scores one case in all three modes. */
export async function scoreCaseInModes (each: SiteCase, options: ScoreOptions): Promise<Record<Mode, CaseOutcome>> {
  const masks = await segment(each.slices, options, MODES)
  const outcome = (mode: Mode): CaseOutcome => outcomeOf(each, masks[mode], options)
  return { frozen: outcome('frozen'), global: outcome('global'), personal: outcome('personal') }
}

/** Scores one case by the global model alone. */
export async function scoreGlobalCase (each: SiteCase, options: ScoreOptions): Promise<readonly NamedScore[]> {
  const masks = await segment(each.slices, options, ['global'])
  return outcomeOf(each, masks.global, options).scores
}

async function segment (
  slices: readonly Slice[],
  { learner, adapter, needsBox }: ScoreOptions,
  modes: readonly Mode[]
): Promise<Record<Mode, Uint8Array[]>> {
  const masks: Record<Mode, Uint8Array[]> = { frozen: [], global: [], personal: [] }
  for (let start = 0; start < slices.length; start += AT_A_TIME) {
    const samples = await fitScored(slices.slice(start, start + AT_A_TIME), learner.inputSize)
    for (const mode of modes) masks[mode].push(...await learner.segment({ adapter, samples, mode }))
  }
  if (needsBox) {
    slices.forEach((slice, i) => { if (!hasForeground(slice)) for (const mode of modes) masks[mode][i]!.fill(0) })
  }
  return masks
}

function outcomeOf ({ patient, name, voxels, slices }: SiteCase, masks: readonly Uint8Array[], options: ScoreOptions): CaseOutcome {
  const { labels, tolerance } = options
  const { names, members } = labels ?? EVERYTHING
  const planes = slices.map((slice, i) => planeOf(slice, masks[i]!))
  const { lacks = [] } = slices[0]!
  return {
    images: slices.flatMap((slice, i) => {
      return hasForeground(slice) ? [{ id: slice.id, ...imageScore(slice, masks[i]!, labels) }] : []
    }),
    scores: names.flatMap((className, c) => lacks.includes(c)
      ? []
      : [{
          patient,
          case: name,
          class: className,
          slices: slices.length,
          ...scoreCase({
            planes: planes.map((plane) => ofClass(plane, members[c]!)),
            ...(voxels == null ? {} : { spacing: voxels.spacing })
          }, { name: className }, tolerance)
        }]),
    worst: worstOf(slices, masks)
  }
}

function imageScore (slice: Slice, mask: Uint8Array, labels: LabelMap | undefined): Omit<SampleScore, 'id'> {
  if (labels != null) return scoreClasses(mask, { ...slice, truth: slice.mask }, labels)
  const [member] = EVERYTHING.members
  return scoreImage(shownIn(mask, slice.mask, member!), shownIn(slice.mask, slice.mask, member!), slice.height, slice.width)
}

/** What is not known of the truth counts on neither side. */
function ofClass ({ height, width, truth, prediction }: CodedPlane, member: Uint8Array): Plane {
  return { height, width, truth: shownIn(truth, truth, member), prediction: shownIn(prediction, truth, member) }
}

interface CodedPlane extends Plane {
  readonly truth: Uint8Array
  readonly prediction: Uint8Array
}

/** Volumes are scored voxel by voxel, as what `predict` writes would be. */
function planeOf (slice: Slice, mask: Uint8Array): CodedPlane {
  const { height, width } = slice.voxels ?? slice
  return { height, width, truth: resizeLabels(slice.mask, slice, height, width), prediction: resizeLabels(mask, slice, height, width) }
}

function worstOf (slices: readonly Slice[], masks: readonly Uint8Array[]): CaseOutcome['worst'] {
  const wrong = slices.map(({ mask }, i) =>
    mask.reduce((sum, label, at) => sum + (label === UNKNOWN || label === masks[i]![at] ? 0 : 1), 0))
  const index = wrong.indexOf(Math.max(...wrong))
  return { slice: slices[index]!, mask: masks[index]! }
}
