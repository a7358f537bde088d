import { InputError } from '../../errors.ts'
import type { DrawnLabels, SegmentRule } from '../../formats/dicom/canvas.ts'
import { isPlaced, readPictures, readStack, type PlacedStack } from '../../formats/dicom/read-stack.ts'
import { readStructures } from '../../formats/dicom/rtstruct.ts'
import { readSeg } from '../../formats/dicom/seg.ts'
import type { Stack } from '../../formats/dicom/stacks.ts'
import type { Volume } from '../../formats/nifti.ts'
import { howOf, upTo, valuesIn, withShown, type OpenPicture, type OpenVolume } from '../channels/layers.ts'
import { encoded } from '../masks/labels.ts'
import { isMarked, NO_FOREGROUND, pictureSlice, volumePair, type PairOptions, type PairSlices } from '../read-pair.ts'
import type { Modality } from '../transforms/normalise.ts'
import type { ReadOptions, Slice } from '../types.ts'
import type { DicomPair } from './list-dicom.ts'

export type DicomOptions = PairOptions & { readonly segments: SegmentRule }

/** Reads a series with its segmentation, as `readPair` reads an image with its mask. @throws InputError without a file name */
export async function readDicomPair ({ stem, stack, labels, whose }: DicomPair, given: DicomOptions): Promise<PairSlices> {
  const options = { ...given, whose }
  const drawn = await readLabels(labels, stack, options.segments)
  const notes = [...stack.notes, ...drawn.notes]
  if (!isPlaced(stack)) return await picturePairs(stack, drawn, { stem, notes }, options)
  const opened = await openStack(stack, options)
  const { header } = opened.volume.layers[0]!.source
  const mask = { header: { ...header, slope: 1, intercept: 0 }, voxels: encoded(drawn.voxels, options) }
  const pair = await volumePair(opened.volume, { stem, labels: () => ({ volume: mask, notes: [] }) }, options)
  return { ...pair, notes: [...notes, ...opened.notes, ...pair.notes] }
}

async function readLabels ({ kind, file }: DicomPair['labels'], stack: Stack, rule: SegmentRule): Promise<DrawnLabels> {
  try {
    return await (kind === 'seg' ? readSeg : readStructures)(file, stack, rule)
  } catch (error) {
    throw error instanceof InputError ? new InputError(`its segmentation: ${error.message}`) : error
  }
}

/** A series as an image of one channel. @throws InputError without a file name */
export async function openStack (stack: PlacedStack, options: ReadOptions): Promise<{ volume: OpenVolume, notes: readonly string[] }> {
  const { volume, notes } = await readStack(stack)
  const layers = channelsOf(options).map((_, at) => ({ source: volume, how: howOf(options, modalityOf(volume.modality, options, at), at) }))
  return { volume: { kind: 'volume', layers, found: [0], ignored: 0, pages: false }, notes }
}

/** The pictures of a series without places. @throws InputError without a file name */
export async function * openPictures (stack: Stack, options: ReadOptions): AsyncGenerator<OpenPicture, undefined> {
  const known = stack.instance.modality === 'CT' ? 'ct' : 'other'
  for await (const picture of readPictures(stack)) {
    const layers = channelsOf(options).map((_, at) => ({ source: picture, how: howOf(options, modalityOf(known, options, at), at) }))
    yield { ...picture, kind: 'picture', layers, found: upTo(picture.channels), ignored: 0 }
  }
}

/** @throws InputError where the federation reads more channels than a series has */
function channelsOf ({ channels = [0] }: ReadOptions): readonly number[] {
  const missing = channels.find((channel) => channel > 0)
  if (missing == null) return channels
  throw new InputError(
    `a DICOM series has one channel, and model.channels names channel ${missing}: store the channels as NIfTI files of a case`
  )
}

function modalityOf (own: Volume['modality'], { modality, modalities }: ReadOptions, at: number): Modality {
  return modalities?.[at] ?? modality ?? own ?? 'unknown'
}

async function picturePairs (
  stack: Stack,
  drawn: DrawnLabels,
  { stem, notes }: { readonly stem: string, readonly notes: readonly string[] },
  options: DicomOptions & { readonly whose: NonNullable<PairOptions['whose']> }
): Promise<PairSlices> {
  const size = stack.dims[0] * stack.dims[1]
  const labels = encoded(drawn.voxels, options)
  const slices: Slice[] = []
  const said = new Set(notes)
  let first: Pick<PairSlices, 'shown' | 'found'> | undefined
  for await (const picture of openPictures(stack, options)) {
    const at = slices.length
    const { layers, shown } = withShown(picture.layers, valuesIn)
    first ??= { shown, found: picture.found }
    for (const note of picture.notes) said.add(note)
    const id = stack.frames.length === 1 ? stem : `${stem}#${String(at).padStart(3, '0')}`
    const mask = labels.slice(at * size, (at + 1) * size)
    slices.push(pictureSlice(id, { ...picture, layers }, mask, { ...options, whose: { ...options.whose, index: at } }))
  }
  const isShown = options.book?.isForeground ?? isMarked
  const shownSlices = slices.filter((slice) => slice.mask.some(isShown))
  if (shownSlices.length === 0 && options.empty !== true) throw new InputError(NO_FOREGROUND)
  const kept = options.empty === true ? slices : shownSlices
  return { slices: kept, emptySlices: slices.length - kept.length, notes: [...said], ...first!, ignoredChannels: 0, twoPlaces: false }
}
