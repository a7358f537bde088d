import { InputError } from '../errors.ts'
import { channelFacts, planesShown, type ShownPlane } from './channels/facts.ts'
import { cutFaintNoise } from './faint-noise.ts'
import { keepSmall } from './kept-slice.ts'
import { segmentRule } from './dicom/segment-rule.ts'
import type { AnyListing } from './dicom/list-all.ts'
import { readDicomPair, type DicomOptions } from './dicom/read-dicom-pair.ts'
import { isForeground, LabelBook } from './labels/label-book.ts'
import { labelRules } from './labels/label-rules.ts'
import { settleLabels } from './labels/settle-labels.ts'
import { readSiteLabels } from './labels/site-labels.ts'
import { readColourTable } from './masks/colour-table.ts'
import { PaletteBook } from './masks/palette-book.ts'
import { listUsed } from './list-used.ts'
import { NO_FOREGROUND, readPair, type PairSlices } from './read-pair.ts'
import { partCorrected, readRedrawn, type DataImage } from './redrawn.ts'
import type { Shown } from './transforms/normalise.ts'
import { skippedIn } from './summary.ts'
import type { Dataset, LoadOptions, Problem, Slice } from './types.ts'
import { marksOf, weakPart } from './weak/weak-part.ts'

/**
 * Reads a data folder; what cannot be used is skipped and listed in `problems`.
 *
 * @throws InputError when the folder has no known layout, or nothing in it can be used
 */
export async function loadDataset (path: string, options: LoadOptions = {}): Promise<Dataset> {
  return requireUsableDataset(await scanDataset(path, options), path)
}

/**
 * Like loadDataset, but a folder in which nothing can be used gives a dataset without slices. @throws InputError when the folder has no
 * known layout
 */
export async function scanDataset (path: string, options: LoadOptions = {}): Promise<Dataset> {
  const found = await marksOf(path, options)
  const listing = await listUsed(path, found == null ? { ...options, kinds: undefined } : options)
  const { layout, statement, ignoredChannels, byLikeName, dicom } = listing
  const { pairs, redrawn, problems: unpaired } = partCorrected(listing, options.corrected)
  const rules = labelRules(await readSiteLabels(path), options.labels)
  const book = new LabelBook(rules.rule, options.labels?.values.length)
  const masked = await readPairs(path, pairs, { ...options, said: statement, book, segments: segmentRule(rules, options.labels) })
  const cut = cutFaintNoise(masked.read, book)
  const settled = settleLabels(cut.flatMap((each) => each.slices), book, rules, options.labels)
  const redone = await readRedrawn(path, redrawn, options, { said: statement, small: (each) => small(each, options) })
  const weak = await weakPart(path, {
    found,
    listing,
    masked: [...pairs, ...redrawn.map(({ image }) => image)].map(({ stem }) => stem),
    slices: settled.slices,
    rules,
    small: (each) => small(each, options)
  }, options)
  const left = unpaired.filter((problem) => !weak.settled.has(problem))
  const problems = [...left, ...masked.problems, ...redone.problems, ...weak.problems]
  const kept = shownSlices(settled.slices, options, problems)
  const slices = weak.hold([...kept, ...redone.slices, ...weak.slices])
  const read = [...masked.read, ...redone.read, ...weak.read]
  const channels = [...masked.found, ...[...redone.read, ...weak.read].map((each) => each.found)]
  const shown = read.flatMap((each, image) => planesShown(each.shown, image, options.channels))
  return {
    layout,
    ...settled,
    classes: Math.max(settled.classes, redone.classes, weak.classes),
    slices,
    problems,
    subjects: new Set(slices.map((slice) => slice.subject)).size,
    volumes: read.flatMap((each) => each.volume ?? []),
    emptySlices: read.reduce((sum, each) => sum + each.emptySlices, settled.slices.length - kept.length),
    ignoredChannels: read.reduce((sum, each) => sum + each.ignoredChannels, ignoredChannels),
    channels: channelFacts(channels, statement.names, options.channels),
    notes: countEach(cut.flatMap(({ notes }) => notes)),
    shown,
    ...modalitiesOf(shown, options.channels),
    subjectsBy: countSubjects([...masked.used, ...redrawn.map(({ image }) => image), ...weak.used]),
    byLikeName,
    twoPlaces: read.filter((each) => each.twoPlaces).length,
    ...dicom == null ? {} : { dicom }
  }
}

type Labelled = AnyListing['pairs'][number]

interface Pairs {
  readonly read: readonly PairSlices[]
  /** channels of each, of those too that could not be used */
  readonly found: ReadonlyArray<readonly number[]>
  readonly used: readonly Labelled[]
  readonly problems: readonly Problem[]
}

async function readPairs (
  root: string,
  pairs: readonly Labelled[],
  options: LoadOptions & Pick<DicomOptions, 'said' | 'book' | 'segments'>
): Promise<Pairs> {
  const read: PairSlices[] = []
  const used: Labelled[] = []
  const problems: Problem[] = []
  const found = pairs.map((pair) => 'stack' in pair ? [] : [...pair.channels?.keys() ?? []])
  const reading = { ...options, colours: await readColourTable(root), palettes: new PaletteBook() }
  for (const [done, pair] of pairs.entries()) {
    options.signal?.throwIfAborted()
    try {
      const whole = 'stack' in pair ? await readDicomPair(pair, reading) : await readPair(root, pair, reading)
      const slices = small(whole, options)
      read.push(slices)
      used.push(pair)
      found[done] = [...new Set([...found[done]!, ...slices.found])]
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push({ file: pair.image, reason: error.message })
    }
    options.onProgress?.(done + 1, pairs.length)
  }
  return { read, found, used, problems }
}

function countSubjects (images: readonly DataImage[]): Dataset['subjectsBy'] {
  const count = { site: 0, folder: 0, name: 0 }
  for (const { whose } of images) count[whose?.by ?? 'name']++
  return count
}

function small (pair: PairSlices, { sides }: LoadOptions): PairSlices {
  return sides == null ? pair : { ...pair, slices: pair.slices.map((slice) => keepSmall(slice, sides)) }
}

/** What a label means may show that there is no foreground after all. */
function shownSlices (slices: readonly Slice[], { empty = false }: LoadOptions, problems: Problem[]): readonly Slice[] {
  const shown = empty ? slices : slices.filter(({ mask }) => mask.some(isForeground))
  if (slices.length > 0 && shown.length === 0) problems.push({ file: '.', reason: NO_FOREGROUND })
  return shown
}

/** What images are, all of them, by how they are shown. */
export function modalitiesOf (
  shown: readonly ShownPlane[],
  channels: readonly number[] | undefined
): Pick<Dataset, 'modality' | 'modalities'> {
  const modality = commonModality(shown)
  if (channels == null) return { modality }
  return { modality, modalities: channels.map((_, at) => commonModality(shown.filter(({ plane }) => plane === at + 1))) }
}

function commonModality (shown: readonly Shown[]): Dataset['modality'] {
  const ways = new Set(shown.map(({ how }) => how).filter((how) => how !== 'as-stored'))
  return ways.size !== 1 ? undefined : ways.has('window') ? 'ct' : 'other'
}

function countEach (sentences: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const sentence of sentences) counts[sentence] = (counts[sentence] ?? 0) + 1
  return counts
}

/** Passes a dataset on if it has slices. @throws InputError with the counts and the first reasons */
export function requireUsableDataset<T extends Pick<Dataset, 'slices' | 'problems'>> (dataset: T, path: string): T {
  if (dataset.slices.length > 0) return dataset
  const reasons = [...new Set(dataset.problems.map((problem) => problem.reason))]
  if (reasons.length === 0) throw new InputError(`${path} holds no images: add pictures or NIfTI volumes with their masks`)
  const shown = reasons.slice(0, 3).join('; ') + (reasons.length > 3 ? '; …' : '')
  throw new InputError(
    `nothing in ${path} can be used, ${skippedIn(dataset.problems)} files were skipped (${shown}): consilium data check lists them`
  )
}
