import { isForeground } from './labels/label-book.ts'
import { describeLabels } from './labels/describe-labels.ts'
import type { LabelFacts } from './labels/label-use.ts'
import type { Dataset, VolumeFacts } from './types.ts'

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
  /** what had to be decided on reading, with the number of pairs */
  readonly notes: Readonly<Record<string, number>>
  readonly skipped: number
  /** how many files were skipped for which reason */
  readonly reasons: Readonly<Record<string, number>>
}

/** Counts and sizes of a dataset. */
export function summarise (dataset: Dataset): DatasetSummary {
  const { slices, problems } = dataset
  const bySize = slices.map(({ height, width }): [number, number] => [height, width]).sort((a, b) => a[0] * a[1] - b[0] * b[1])
  const shares = slices.map(({ mask }) => mask.reduce((sum, label) => sum + (isForeground(label) ? 1 : 0), 0) / mask.length)
  const reasons: Record<string, number> = {}
  for (const { reason } of problems) reasons[reason] = (reasons[reason] ?? 0) + 1
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
    notes: dataset.notes,
    skipped: problems.length,
    reasons
  }
}

/** The summary in a few lines for a person. */
export function describeSummary (summary: DatasetSummary): string {
  const { slices, subjects, classes, smallest, largest, colour, foreground, volumes, emptySlices, ignoredChannels, skipped } = summary
  const size = ([height, width]: readonly [number, number]): string => `${width}×${height}`
  const sizes = size(smallest) === size(largest) ? size(smallest) : `${size(smallest)} to ${size(largest)}`
  return [
    `${count(slices, 'slice')} of ${count(subjects, 'subject')}, ${sizes} pixels, ${
      colour === 0 ? 'grey' : colour === slices ? 'colour' : `${colour} in colour`
    }`,
    `${count(classes, 'label')}; on average ${(foreground * 100).toFixed(1)} % of a slice is foreground`,
    ...describeLabels(summary),
    ...describeVolumes(volumes),
    ...emptySlices > 0 ? [`${count(emptySlices, 'slice')} without foreground left out`] : [],
    ...ignoredChannels > 0 ? [`${count(ignoredChannels, 'file')} of further channels not read: only channel 0000 is used`] : [],
    ...subjects === 1
      ? ['one subject: training and validation are slabs of it with a gap between them, which says nothing about other subjects']
      : [],
    ...Object.entries(summary.notes).map(([note, pairs]) => `${count(pairs, 'pair')}: ${note}`),
    skipped === 0 ? 'nothing skipped' : `${count(skipped, 'file')} skipped`
  ].join('\n')
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
