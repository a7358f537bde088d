import type { AnyListing } from '../dicom/list-all.ts'
import { withClasses } from '../kept-slice.ts'
import type { LabelRules } from '../labels/label-rules.ts'
import type { PairSlices } from '../read-pair.ts'
import type { LoadOptions, Slice } from '../types.ts'
import { findMarks, type FoundMarks } from './find-marks.ts'
import { readWeak, type WeakRead } from './read-weak.ts'
import { readSupervision } from './supervision-file.ts'

interface PartInit {
  /** None where masks alone count. */
  readonly found: FoundMarks | undefined
  readonly listing: AnyListing
  /** Names of images that have masks. */
  readonly masked: readonly string[]
  /** Slices with masks. */
  readonly slices: readonly Slice[]
  readonly rules: LabelRules
  readonly small: (read: PairSlices) => PairSlices
}

interface WeakPart extends WeakRead {
  /** Classes that it knows something of. */
  readonly classes: number
  /** Slices with a word on those that the site names for validation. */
  readonly hold: (slices: readonly Slice[]) => readonly Slice[]
}

const NOTHING: WeakPart = { read: [], used: [], slices: [], problems: [], settled: new Set(), classes: 0, hold: (slices) => slices }

/**
 * The marks of a folder, where a site may do without masks: where its images need labels and it has no marks, masks alone count.
 * @throws InputError naming a file of marks that cannot be read
 */
export async function marksOf (root: string, { kinds }: LoadOptions): Promise<FoundMarks | undefined> {
  if (kinds == null) return undefined
  const found = await findMarks(root)
  const isAny = found.marks.size + found.pictures.size + found.problems.length > 0
  return isAny || kinds.includes('none') ? found : undefined
}

/** What a folder knows of images without masks; nothing where masks alone count. @throws InputError naming a file that cannot be read */
export async function weakPart (
  root: string,
  { found, listing, masked, slices, rules, small }: PartInit,
  options: LoadOptions
): Promise<WeakPart> {
  const { kinds, labels, corrected } = options
  if (kinds == null || found == null) return NOTHING
  const { skipsUnlabelled, validation } = await readSupervision(root)
  const weak = await readWeak(root, {
    images: listing.unlabelled.filter(({ stem }) => corrected?.has(stem) !== true),
    masked,
    found,
    kinds: kinds.filter((kind) => kind !== 'none' || !skipsUnlabelled),
    labels,
    rules,
    shown: [...new Set(slices.flatMap(({ shows = [] }) => shows))],
    said: listing.statement,
    small
  }, options)
  return {
    ...weak,
    problems: [...found.problems, ...weak.problems],
    classes: weak.slices.length > 0 ? labels?.names.length ?? 1 : 0,
    hold: (all) => validation.size === 0 ? all : all.map((slice) => isNamed(slice, validation) ? withClasses(slice, { held: true }) : slice)
  }
}

function isNamed ({ id }: Slice, names: ReadonlySet<string>): boolean {
  const [stem = ''] = id.split('#')
  return names.has(stem) || names.has(stem.split('/').at(-1)!)
}
