import { InputError } from '../../errors.ts'
import { mapInto } from '../../formats/map-into.ts'
import type { Voxels } from '../../formats/nifti.ts'

export const NOT_LABELS = 'the mask holds values that are not labels (whole numbers from 0)'
/** What "white" is where masks of 0 and 1 were widened to more bits. */
const FULL = [65535, 32767, 2 ** 32 - 1, 2 ** 31 - 1]
const NEAR_WHOLE = 1e-3

/** Labels of numbers of any type, as bytes where they fit; undefined where some are fractions or below 0. */
export function wholeLabels (values: Voxels): Voxels | undefined {
  if (values instanceof Uint8Array) return values
  let high = 0
  let widened = true
  for (const value of values) {
    const label = Math.round(value)
    if (!(label >= 0 && Math.abs(value - label) < NEAR_WHOLE)) return undefined
    if (label > high) high = label
    widened &&= label % 257 === 0 && label <= 65535
  }
  if (high <= 255) return mapInto(values, new Uint8Array(values.length), Math.round)
  // 8 bit in 16: every byte stands twice.
  if (widened) return mapInto(values, new Uint8Array(values.length), (value) => value / 257)
  if (FULL.includes(high) && values.every((value) => value === 0 || value === high)) {
    return mapInto(values, new Uint8Array(values.length), (value) => value === 0 ? 0 : 255)
  }
  return mapInto(values, new Float64Array(values.length), Math.round)
}

/** Blurred or colourful pictures have more values, side by side and everywhere. */
const MAX_LABELS = 32
/** Each of them is remembered while masks are read. */
const MOST_LABELS = 2 ** 20
const EMPTY_SHARE = 0.75
const SAME_SHARE = 0.5

/** @throws InputError for what has hundreds of values that lie in no patches: a picture in the place of its mask */
export function checkIsMask (values: Voxels, { width }: { readonly width: number }): void {
  const distinct = new Set<number>()
  let [above, same] = [0, 0]
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) continue
    above++
    if (i % width > 0 && values[i] === values[i - 1]) same++
    else if (distinct.add(values[i]!).size > MOST_LABELS) {
      throw new InputError(`the mask holds more than ${MOST_LABELS} different labels: it is a picture, not a mask`)
    }
  }
  if (distinct.size <= MAX_LABELS || above < (1 - EMPTY_SHARE) * values.length || same >= SAME_SHARE * above) return
  throw new InputError(`the mask holds ${distinct.size} different labels that lie in no patches: it is a picture, not a mask`)
}
