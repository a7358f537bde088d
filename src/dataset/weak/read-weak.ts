import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import type { Statement } from '../names/dataset-json.ts'
import { valuesIn, valuesOf, withShown, type CaseOptions } from '../channels/layers.ts'
import { openCase } from '../channels/open-case.ts'
import { readOne } from '../read-one.ts'
import type { AnyListing } from '../dicom/list-all.ts'
import { withClasses } from '../kept-slice.ts'
import { isForeground } from '../labels/label-book.ts'
import { UNKNOWN, type LabelMap } from '../labels/label-map.ts'
import type { LabelRules } from '../labels/label-rules.ts'
import { classesOf } from '../labels/settle-labels.ts'
import { onePicture, oneVolume, type PictureImage, type VolumeImage } from '../read-image.ts'
import { factsOf, readPictureLabels, readVolumeLabels, type PairSlices } from '../read-pair.ts'
import type { LabelKind, LoadOptions, Problem, Slice } from '../types.ts'
import { codesBy } from './codes.ts'
import { checkSize, drawMarks, type CodeOf, type Drawn } from './draw.ts'
import type { FoundMarks, LabelPicture } from './find-marks.ts'
import { OwnMarks } from './own-marks.ts'
import { NO_MARKS, type StatedMarks } from './stated.ts'
import { marksBySlice } from './volume-marks.ts'

type Bare = AnyListing['unlabelled'][number]
type Kinds = readonly LabelKind[]

interface WeakInit {
  /** Images without a mask. */
  readonly images: readonly Bare[]
  /** Names of the others. */
  readonly masked: readonly string[]
  readonly found: FoundMarks
  readonly kinds: Kinds
  readonly labels: LabelMap | undefined
  readonly rules: LabelRules
  /** Classes, from 0, that the masks of the folder show. */
  readonly shown: readonly number[]
  readonly said: Statement
  readonly small: (read: PairSlices) => PairSlices
}

export interface WeakRead {
  readonly read: readonly PairSlices[]
  readonly used: readonly Bare[]
  readonly slices: readonly Slice[]
  readonly problems: readonly Problem[]
  /** Problems of a folder that are none, since an image may do without a mask. */
  readonly settled: ReadonlySet<Problem>
}

/** Slices of images that have no mask, by what is known of them otherwise. */
export async function readWeak (root: string, init: WeakInit, options: LoadOptions): Promise<WeakRead> {
  const { images, found, kinds, labels, rules, small } = init
  const own = new OwnMarks(images, found, init.masked)
  const { codeOf, unruled } = codesBy(rules, labels)
  const given = { ...options, said: init.said }
  const read: PairSlices[] = []
  const used: Bare[] = []
  const settled = new Set<Problem>()
  const problems: Problem[] = []
  for (const image of images) {
    options.signal?.throwIfAborted()
    const marks = own.of(image.stem, kinds)
    if (marks == null && !kinds.includes('none')) {
      if (!own.has(image.stem)) continue
      settled.add(image.problem)
      problems.push({ file: image.image, reason: OTHER_KINDS })
      continue
    }
    settled.add(image.problem)
    try {
      const whole = marks == null ? await bare(root, image, given) : await marked(root, image, { ...marks, codeOf, kinds }, given)
      read.push(small(whole))
      used.push(image)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push({ file: image.image, reason: error.message.replace(/^its mask: /, 'its scribbles or blocks: ') })
    }
  }
  const slices = read.flatMap((each) => each.slices)
  return {
    read,
    used,
    slices: labels == null ? slices : withLacks(slices, labels, rules.annotated ?? shownOf(slices, labels, init.shown)),
    problems: [...problems, ...own.unused(), ...unruled()],
    settled
  }
}

const OTHER_KINDS = 'it has marks, and the federation trains on other kinds alone (training.supervision)'

type Given = LoadOptions & CaseOptions

interface Marked {
  readonly stated: StatedMarks | undefined
  readonly pictures: readonly LabelPicture[]
  readonly codeOf: CodeOf
  readonly kinds: Kinds
}

/** All of an image of which nothing is known. */
async function bare (root: string, image: Bare, given: Given): Promise<PairSlices> {
  const { slices, shown } = await readOne(root, image, given)
  return { ...PLAIN, slices: slices.map(unmarked), shown }
}

const PLAIN = { emptySlices: 0, notes: [], found: [0], ignoredChannels: 0, twoPlaces: false } as const

function unmarked (slice: Slice): Slice {
  return { ...slice, kind: 'none', mask: new Uint8Array(slice.height * slice.width).fill(UNKNOWN) }
}

async function marked (root: string, image: Bare, marks: Marked, given: Given): Promise<PairSlices> {
  if ('stack' in image) throw new InputError('marks of DICOM series are read from DICOM SEG and RTSTRUCT alone: export them so')
  const { stem, whose, channels } = image
  const options = { ...given, ...whose == null ? {} : { whose } }
  const files = channels == null ? undefined : new Map([...channels].map(([channel, file]) => [channel, join(root, file)]))
  const opened = await openCase({ image: join(root, image.image), files }, options)
  const facts = { found: opened.found, ignoredChannels: opened.ignored }
  if (opened.kind === 'picture') {
    const { layers, shown } = withShown(opened.layers, valuesIn)
    const picture = onePicture({ ...opened, layers }, stem, options)
    return { ...PLAIN, ...facts, notes: opened.notes, shown, slices: [await onPicture(root, picture, marks)] }
  }
  const { layers, shown } = withShown(opened.layers, valuesOf)
  const volume = oneVolume({ ...opened, layers }, stem, options)
  const slices = await onVolume(root, volume, marks)
  const { twoPlaces = false } = volume.header
  const emptySlices = volume.slices.length - slices.length
  return { ...PLAIN, ...facts, shown, slices, emptySlices, twoPlaces, volume: factsOf(volume.stack) }
}

async function onPicture (root: string, { slices, orientation }: PictureImage, { stated, pictures, codeOf }: Marked): Promise<Slice> {
  const slice = slices[0]!
  checkSize(stated?.size, slice)
  const size = { height: slice.height, width: slice.width, ...orientation == null ? {} : { orientation } }
  const drawn = await Promise.all(pictures.map(async ({ file, kind }) => {
    const { data } = await readPictureLabels(join(root, file), size, { exact: true, empty: true })
    return { kind, codes: codesIn(data, codeOf) }
  }))
  return withMarks(slice, drawMarks(stated ?? NO_MARKS, slice, codeOf, drawn))
}

/** The slices on which anything is known; all where those without are trained on, too. */
async function onVolume (
  root: string,
  { slices, header, stack }: VolumeImage,
  { stated, pictures, codeOf, kinds }: Marked
): Promise<Slice[]> {
  const drawn = await Promise.all(pictures.map(async ({ file, kind }) => {
    const { masks } = await readVolumeLabels(join(root, file), { header, stack }, { exact: true, empty: true })
    return { kind, planes: masks.map((mask) => codesIn(mask, codeOf)) }
  }))
  const marks = stated == null ? undefined : marksBySlice(stated, { header, stack })
  return slices.flatMap((slice, at) => {
    const planes = drawn.flatMap(({ kind, planes: all }) => all[at]!.every((code) => code === UNKNOWN) ? [] : [{ kind, codes: all[at]! }])
    const known = drawMarks(marks?.get(at) ?? NO_MARKS, slice, codeOf, planes)
    return known.kind === 'none' && !kinds.includes('none') ? [] : [withMarks(slice, known)]
  })
}

function codesIn (values: Uint8Array, codeOf: CodeOf): Uint8Array {
  const table = new Map([...new Set(values)].map((value) => [value, value === UNKNOWN ? UNKNOWN : codeOf(value) ?? UNKNOWN]))
  return values.map((value) => table.get(value)!)
}

function withMarks (slice: Slice, { kind, mask, marks }: Drawn): Slice {
  if (kind !== 'mask') return { ...slice, kind, mask, marks }
  if (!mask.some(isForeground)) throw new InputError('its outlines have nothing inside: draw them again')
  return { ...slice, mask }
}

/** Classes of which anything is known in these slices or in masks. */
function shownOf (slices: readonly Slice[], { members }: LabelMap, before: readonly number[]): number[] {
  const codes = new Set(slices.flatMap(({ mask, marks }) =>
    [...new Set(mask), ...marks?.points.map(([, , code]) => code) ?? [], ...marks?.boxes.map((box) => box[4]) ?? []]).filter(isForeground))
  const own = members.flatMap((member, c) => before.includes(c) || [...codes].some((code) => member[code] === 1) ? [c] : [])
  return own.length === 0 ? members.map((_, c) => c) : own
}

function withLacks (slices: readonly Slice[], labels: LabelMap, annotated: readonly number[]): Slice[] {
  const lacks = labels.names.flatMap((_, c) => annotated.includes(c) ? [] : [c])
  return slices.map((slice) => withClasses(slice, classesOf(slice, labels, lacks)))
}
