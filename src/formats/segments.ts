import { InputError } from '../errors.ts'
import type { Voxels } from './nifti.ts'

export const FOURTH = 'the volume has a fourth dimension (time or channels); store one volume per file'
const MAX_SEGMENTS = 255

interface Segment { readonly layer: number, readonly value: number }

/**
 * One label per segment, 1, 2, … in the order of the file, from the layers of a segmentation as 3D Slicer writes it
 * (`Segment0_Layer`, `Segment0_LabelValue`). @throws InputError where segments overlap, and for layers that are no segments
 */
export function layersToLabels (layers: readonly Voxels[], values: ReadonlyMap<string, string>): Voxels {
  const segments = segmentsOf(values)
  if (segments.length === 0) throw new InputError(FOURTH)
  if (segments.length > MAX_SEGMENTS) throw new InputError(`the file holds more than ${MAX_SEGMENTS} segments`)
  const labels = new Uint8Array(layers[0]!.length)
  segments.forEach(({ layer, value }, index) => {
    layers[layer]?.forEach((voxel, i) => {
      if (voxel !== value) return
      if (labels[i] !== 0) throw new InputError('its segments overlap: export them as a label map, which says what each voxel is')
      labels[i] = index + 1
    })
  })
  return labels
}

/** Files of old versions name neither layer nor value: every segment has a layer of its own. */
function segmentsOf (values: ReadonlyMap<string, string>): Segment[] {
  const segments: Segment[] = []
  for (let index = 0; values.has(`Segment${index}_ID`) || values.has(`Segment${index}_Name`); index++) {
    segments.push({
      layer: Number(values.get(`Segment${index}_Layer`) ?? index),
      value: Number(values.get(`Segment${index}_LabelValue`) ?? 1)
    })
  }
  return segments
}
