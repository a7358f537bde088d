import { describeChannels, type ChannelFacts, type ShownPlane } from './channels/facts.ts'
import { describeLabels } from './labels/describe-labels.ts'
import { isForeground } from './labels/label-book.ts'
import type { LabelFacts } from './labels/label-use.ts'
import { looksLikeOneSeries } from './names/alike.ts'
import { describeSupervision, supervisionOf, type Supervision } from './weak/supervision.ts'
import type { Dataset, DicomFacts, VolumeFacts } from './types.ts'

type Way = Pick<ShownPlane, 'how' | 'because' | 'plane' | 'channel'> & { readonly range?: ShownPlane['range'] }

/** What a data folder holds; no file names, so that it may be logged. */
export interface DatasetSummary extends LabelFacts {
  readonly layout: Dataset['layout']
  readonly slices: number
  readonly subjects: number
  /** distinct heights×widths, smallest and largest, in pixels */
  readonly smallest: readonly [number, number]
  readonly largest: readonly [number, number]
  readonly colour: number
  /** mean share of a slice that is foreground, 0..1 */
  readonly foreground: number
  readonly volumes: readonly VolumeFacts[]
  readonly emptySlices: number
  readonly ignoredChannels: number
  /** which channels the images have, and which fill the planes of the model's input */
  readonly channels: ChannelFacts
  /** what had to be decided on reading, with the number of pairs */
  readonly notes: Readonly<Record<string, number>>
  /**
   * how many images (or their channels in a plane) are shown how, why, and between which values: `window` of a document, of stated CT, or
   * of Hounsfield units
   */
  readonly brightness: ReadonlyArray<Way & { readonly images: number }>
  /** images that are said to be CT, and hold nothing below 0 */
  readonly doubtfulCt: number
  /** images that nothing states to be CT, and may be: whole numbers, some below 0, none below air */
  readonly maybeCt: number
  readonly subjectsBy: Dataset['subjectsBy']
  /** pictures of many subjects look like neighbouring slices of one */
  readonly subjectsLookWrong: boolean
  readonly byLikeName: number
  readonly twoPlaces: number
  readonly supervision: Supervision
  readonly skipped: number
  /** how many files were skipped for which reason */
  readonly reasons: Readonly<Record<string, number>>
  /** what DICOM files there are */
  readonly dicom?: DicomFacts
}

/** Counts and sizes of a dataset. */
export function summarise (dataset: Dataset): DatasetSummary {
  const { slices, problems } = dataset
  const bySize = slices.map(({ height, width }): [number, number] => [height, width]).sort((a, b) => a[0] * a[1] - b[0] * b[1])
  const shares = slices.map(({ mask }) => mask.reduce((sum, label) => sum + (isForeground(label) ? 1 : 0), 0) / mask.length)
  return {
    layout: dataset.layout,
    slices: slices.length,
    subjects: dataset.subjects,
    classes: dataset.classes,
    labels: dataset.labels,
    labelsBy: dataset.labelsBy,
    lacking: dataset.lacking,
    labelWarnings: dataset.labelWarnings,
    smallest: bySize[0] ?? [0, 0],
    largest: bySize.at(-1) ?? [0, 0],
    colour: slices.filter((slice) => slice.channels === 3).length,
    foreground: shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length),
    volumes: dataset.volumes,
    emptySlices: dataset.emptySlices,
    ignoredChannels: dataset.ignoredChannels,
    channels: dataset.channels,
    notes: dataset.notes,
    brightness: countShown(dataset.shown),
    doubtfulCt: new Set(dataset.shown.flatMap(({ doubtful, image }) => doubtful ? [image] : [])).size,
    maybeCt: new Set(dataset.shown.flatMap(({ maybeCt, image }) => maybeCt === true ? [image] : [])).size,
    subjectsBy: dataset.subjectsBy,
    subjectsLookWrong: dataset.subjectsBy.name > 0 && dataset.volumes.length === 0 && looksLikeOneSeries(slices),
    byLikeName: dataset.byLikeName,
    twoPlaces: dataset.twoPlaces,
    supervision: supervisionOf(dataset.slices),
    skipped: skippedIn(problems),
    reasons: countReasons(problems),
    ...dataset.dicom == null ? {} : { dicom: dataset.dicom }
  }
}

/** How many files were skipped. */
export function skippedIn (problems: Dataset['problems']): number {
  return problems.reduce((sum, { files = 1 }) => sum + files, 0)
}

/** How many files were skipped for which reason. */
export function countReasons (problems: Dataset['problems']): Record<string, number> {
  const reasons: Record<string, number> = {}
  for (const { reason, files = 1 } of problems) reasons[reason] = (reasons[reason] ?? 0) + files
  return reasons
}

function countShown (shown: readonly ShownPlane[]): DatasetSummary['brightness'] {
  const counts = new Map<string, DatasetSummary['brightness'][number]>()
  for (const { how, because, range, plane, channel } of shown) {
    const one: Way = { how, because, ...how === 'window' ? { range } : {}, ...plane == null || channel == null ? {} : { plane, channel } }
    const key = JSON.stringify(one)
    counts.set(key, { ...one, images: (counts.get(key)?.images ?? 0) + 1 })
  }
  return [...counts.values()]
}

/** The summary in a few lines for a person. */
export function describeSummary (summary: DatasetSummary): string {
  const { slices, subjects, classes, smallest, largest, colour, foreground, volumes, emptySlices, ignoredChannels, skipped } = summary
  const several = summary.channels.planes == null ? 'in colour' : 'of several planes'
  const size = ([height, width]: readonly [number, number]): string => `${width}×${height}`
  const sizes = size(smallest) === size(largest) ? size(smallest) : `${size(smallest)} to ${size(largest)}`
  return [
    `${count(slices, 'slice')} of ${count(subjects, 'subject')}, ${sizes} pixels, ${
      colour === 0 ? 'grey' : colour < slices ? `${colour} ${several}` : several === 'in colour' ? 'colour' : several
    }`,
    `${count(classes, 'label')}; on average ${(foreground * 100).toFixed(1)} % of a slice is foreground`,
    ...describeLabels(summary),
    ...describeSupervision(summary.supervision),
    ...summary.dicom == null ? [] : [describeDicom(summary.dicom)],
    ...describeVolumes(volumes),
    ...emptySlices > 0 ? [`${count(emptySlices, 'slice')} without foreground left out`] : [],
    ...describeChannels(summary.channels, ignoredChannels),
    ...ignoredChannels > 0 ? [notRead(summary)] : [],
    ...describeBrightness(summary),
    ...describeNames(summary),
    ...subjects === 1
      ? ['one subject: training and validation are slabs of it with a gap between them, which says nothing about other subjects']
      : [],
    ...Object.entries(summary.notes).map(([note, pairs]) => `${count(pairs, 'pair')}: ${note}`),
    skipped === 0 ? 'nothing skipped' : `${count(skipped, 'file')} skipped`
  ].join('\n')
}

function notRead ({ channels, ignoredChannels }: DatasetSummary): string {
  return channels.planes == null
    ? `${count(ignoredChannels, 'file')} of further channels not read: only channel 0000 is used`
    : `${count(ignoredChannels, 'further channel')} not read: model.channels does not name them`
}

const BECAUSE: Readonly<Record<ShownPlane['because'], string>> = {
  document: 'the federation says so',
  stated: 'they are stated to be CT',
  values: 'their values are Hounsfield units'
}

function describeBrightness ({ brightness, doubtfulCt, maybeCt }: DatasetSummary): string[] {
  const lines = brightness.map(({ how, because, range, plane, channel, images }) => {
    const what = `${plane == null ? '' : `plane ${plane}, channel ${channel}: `}${count(images, 'image')}`
    if (how === 'as-stored') return `${what} shown as stored, in 8 bit`
    return how === 'window'
      ? `${what} shown from ${range![0]} to ${range![1]}, as ${BECAUSE[because]}`
      : `${what} shown between two percentiles of each${because === 'document' ? `, as ${BECAUSE.document}` : ''}`
  })
  const guessed = brightness.filter(({ because, how }) => because === 'values' && how !== 'as-stored')
  const isMixed = guessed.some((one) => guessed.some(({ how, plane }) => plane === one.plane && how !== one.how))
  return [
    ...lines,
    ...isMixed
      ? ['by their values some images are CT and others not: say what they are in dataset.json, or how all are shown in model.window']
      : [],
    ...doubtfulCt > 0
      ? [`${count(doubtfulCt, 'image')} said to be CT, but nothing is below 0, as air and fat are in Hounsfield units: look at the sheet`]
      : [],
    ...maybeCt > 0
      ? [`${count(maybeCt, 'image')} with values below 0 that nothing states to be CT: if they are CT cut to the organ, say so in ` +
          'dataset.json: { "channel_names": { "0": "CT" } }']
      : []
  ]
}

function describeNames ({ subjects, slices, volumes, subjectsBy, subjectsLookWrong, byLikeName, twoPlaces }: DatasetSummary): string[] {
  const allOfOne = subjectsBy.name > 0 && volumes.length === 0 && subjects === 1 && slices > 1
  return [
    ...byLikeName > 0 ? [`${count(byLikeName, 'pair')} by names that are alike, not the same (as a.png and a_mask.png)`] : [],
    ...twoPlaces > 0 ? [`${count(twoPlaces, 'volume')} whose qform and sform disagree: shown by the sform, masks go voxel by voxel`] : [],
    ...subjectsBy.name > 0 && subjectsBy.site > 0
      ? [`${count(subjectsBy.name, 'image')} without a line of whose they are: that follows from their names`]
      : [],
    ...allOfOne ? ['by their names all pictures are of one subject: if they are not, say whose they are in subjects.csv'] : [],
    ...subjectsLookWrong
      ? [`${count(subjects, 'subject')} by the names, but the pictures look like neighbouring slices: say whose they are in subjects.csv`]
      : []
  ]
}

/** The DICOM files of a folder in a line. */
export function describeDicom ({ images, series, patients, segmentations, modalities }: DicomFacts): string {
  const kinds = Object.entries(modalities).map(([modality, number]) => `${number} ${modality}`).join(', ')
  return `DICOM: ${count(images, 'image')} in ${series} series (${kinds}) of ${count(patients, 'patient')}, ${
    count(segmentations, 'segmentation')}`
}

function describeVolumes (volumes: readonly VolumeFacts[]): string[] {
  const first = volumes[0]
  if (first == null) return []
  const mm = (at: 0 | 1 | 2): string => {
    const all = volumes.map((volume) => volume.spacing[at])
    const [low, high] = [Math.min(...all).toFixed(2), Math.max(...all).toFixed(2)]
    return low === high ? low : `${low}–${high}`
  }
  const oblique = Math.max(...volumes.map((volume) => volume.obliqueDegrees))
  const tilt = oblique < 1 ? '' : `, up to ${oblique.toFixed(0)}° off that plane`
  return [`${count(volumes.length, 'volume')} cut in ${first.axis} slices${tilt}: pixels ${mm(0)}×${mm(1)} mm, ${mm(2)} mm between slices`]
}

function count (number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}
