import { decodeLabels, type LabelMap } from '../../dataset/index.ts'
import { restoreLogits, restoreMask, type FittedGeometry } from '../sam/postprocess.ts'

/** Low-resolution logits of one map → its logits at the original size, for each of several maps that lie end to end. */
export function restoreMaps (maps: Float32Array, lowRes: number, geometry: FittedGeometry): Float32Array[] {
  const size = lowRes * lowRes
  return Array.from({ length: maps.length / size }, (_, c) => restoreLogits(maps.subarray(c * size, (c + 1) * size), lowRes, geometry))
}

/** The mask at the original size: codes where labels are named, else 1 where the one map is positive. */
export function restoreCodes (maps: Float32Array, lowRes: number, geometry: FittedGeometry, labels: LabelMap | undefined): Uint8Array {
  return labels == null ? restoreMask(maps, lowRes, geometry) : decodeLabels(restoreMaps(maps, lowRes, geometry), labels)
}
