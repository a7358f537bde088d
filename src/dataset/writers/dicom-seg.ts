import { InputError } from '../../errors.ts'
import type { Stack } from '../../formats/dicom/stacks.ts'
import { OWN_SCHEME, segBytes, type Algorithm, type Code, type SegmentMask } from '../../formats/dicom/write-seg.ts'
import type { PictureImage, VolumeImage } from '../read-image.ts'
import { joinLabels } from '../transforms/slicing.ts'
import { writeOutput } from './file.ts'

/** A class in a mask: its values, and its code where the federation gives one. */
export interface SegmentClass {
  readonly name: string
  readonly values: readonly number[]
  readonly code?: Code | undefined
}

/**
 * Writes masks of a DICOM series as a DICOM SEG on its images, one segment a class. @throws InputError when the file cannot be written
 */
export async function writeDicomSeg (
  file: string,
  { image, stack, masks }: { readonly image: PictureImage | VolumeImage, readonly stack: Stack, readonly masks: readonly Uint8Array[] },
  classes: readonly SegmentClass[],
  algorithm: Algorithm
): Promise<void> {
  const size = stack.dims[0] * stack.dims[1]
  const labels = image.kind === 'volume' ? joinLabels(masks, image.stack) : masks[0]!
  if (labels.length !== size * stack.frames.length) throw new InputError(`${file} cannot be written: the masks do not fit the series`)
  const segments = classes.map(({ name, values, code }): SegmentMask => ({
    name,
    code: code ?? { scheme: OWN_SCHEME, value: `CLASS-${values[0]}`, meaning: name.slice(0, 64) },
    slices: stack.frames.map((_, k) => labels.slice(k * size, (k + 1) * size).map((value) => values.includes(value) ? 1 : 0))
  }))
  await writeOutput(file, await segBytes(stack, segments, algorithm))
}
