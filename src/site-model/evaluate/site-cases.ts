import { hasForeground, type Slice, type VoxelGrid } from '../../dataset/index.ts'
import { splitOf, type SplitSettings } from '../split.ts'

/** What is scored as one: the slices of a volume in order, or the pictures of a patient. */
export interface SiteCase {
  readonly patient: string
  /** the volume's name, or the patient's for pictures; local, never logged or sent */
  readonly name: string
  readonly voxels?: VoxelGrid
  readonly slices: readonly Slice[]
}

/**
 * The slices that training never saw: its validation split, with what lies between and around and has no foreground, and patients without
 * any; but for those without foreground that it is trained on (training.emptyShare). They change nothing in its split.
 */
export function unseenSlices (slices: readonly Slice[], settings: SplitSettings): Slice[] {
  const { train, validation, empty, sides } = splitOf(slices, settings)
  const onTrain = [...sides].filter(([, side]) => side === 'train').map(([subject]) => subject)
  const trained = new Set([...[...train, ...empty].map(({ subject }) => subject), ...onTrain])
  const held = new Set(validation)
  return slices.filter((slice) => held.has(slice) || (!hasForeground(slice) && isUnseen(slice, validation, trained)))
}

/** Of a patient of whom a part was trained with, only what lies within the part that was not. */
function isUnseen ({ subject, index }: Slice, validation: readonly Slice[], trained: ReadonlySet<string>): boolean {
  if (!trained.has(subject)) return true
  const places = validation.filter((each) => each.subject === subject).map((each) => each.index)
  return index > Math.min(...places) && index < Math.max(...places)
}

/** Slices by patient and volume, in order. */
export function casesOf (slices: readonly Slice[]): SiteCase[] {
  return [...Map.groupBy(slices, ({ subject }) => subject)].flatMap(([patient, own]) =>
    [...Map.groupBy(own, ({ voxels }) => voxels)].map(([voxels, some]): SiteCase => ({
      patient,
      name: voxels == null ? patient : some[0]!.id.replace(/#\d+$/, ''),
      ...(voxels == null ? {} : { voxels }),
      slices: some.toSorted((a, b) => a.index - b.index)
    })))
}
