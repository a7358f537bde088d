import { InputError } from '../../../errors.ts'
import type { Voxels } from '../nifti.ts'

export const NOT_LABELS = 'the mask holds values that are not labels (whole numbers 0 to 255)'
/** What "white" is where masks of 0 and 1 were widened to more bits. */
const FULL = [65535, 32767, 2 ** 32 - 1, 2 ** 31 - 1]
const NEAR_WHOLE = 1e-3

/** Labels 0..255 of numbers of any type; undefined where some are fractions or below 0. @throws InputError for labels above 255 */
export function wholeLabels (values: Voxels): Uint8Array | undefined {
  if (values instanceof Uint8Array) return values
  let high = 0
  let widened = true
  for (const value of values) {
    const label = Math.round(value)
    if (!(label >= 0 && Math.abs(value - label) < NEAR_WHOLE)) return undefined
    if (label > high) high = label
    widened &&= label % 257 === 0 && label <= 65535
  }
  if (high <= 255) return Uint8Array.from(values as Float32Array, Math.round)
  // 8 bit in 16: every byte stands twice.
  if (widened) return Uint8Array.from(values as Float32Array, (value) => value / 257)
  if (FULL.includes(high) && values.every((value) => value === 0 || value === high)) {
    return Uint8Array.from(values as Float32Array, (value) => value === 0 ? 0 : 255)
  }
  throw new InputError(`the mask holds the label ${high}: number the labels from 1 to 255`)
}
